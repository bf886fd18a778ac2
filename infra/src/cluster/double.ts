import { mkdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ChildServer } from '../child-server.js'
import type { ServerLayout } from './layout.js'

const program = fileURLToPath(
  new URL('../../../packages/eventstore-double/bin/eventstore-double.mjs', import.meta.url),
)
const host = '127.0.0.1'
const readyWithinMs = 30_000

/** The double of EventStoreDB as a process of its own, which begins with what is in its folder. */
export async function startDouble({ folder, port }: ServerLayout) {
  await mkdir(folder, { recursive: true })
  const logFile = join(folder, 'event-log.log')
  const args = [program, '--data', join(folder, 'data'), '--port', `${port}`]
  const child = new ChildServer({ command: process.execPath, args, logFile })
  await child.untilReady(() => answers(port), readyWithinMs)
  return {
    pid: child.pid,
    host,
    port,
    logFile,
    stop: () => child.end('SIGTERM'),
    kill: () => child.end('SIGKILL'),
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 }, () => settle(true))
    const settle = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
  })

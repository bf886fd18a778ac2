import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { guardOver } from './guard.js'
import type { Killable } from './server-host.js'

const program = fileURLToPath(
  new URL('../../../packages/eventstore-double/bin/eventstore-double.mjs', import.meta.url),
)

/** The double of EventStoreDB as a process of its own, which keeps its events in a folder. */
export class DoubleServer implements Killable {
  readonly host = '127.0.0.1'
  readonly port: number
  private readonly folder: string
  private child: ChildProcess | undefined
  private ended: Promise<unknown> = Promise.resolve()

  constructor(folder: string, port: number) {
    this.folder = folder
    this.port = port
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const log = openSync(join(this.folder, 'eventstore-double.log'), 'a')
    const args = [program, '--port', `${this.port}`, '--data', join(this.folder, 'events')]
    const child = spawn(process.execPath, args, { stdio: ['ignore', log, log] })
    const guard = guardOver(child)
    this.child = child
    this.ended = once(child, 'exit').then(() => guard.kill('SIGKILL'))
    const until = performance.now() + readyWithinMs
    while (!(await isListening(this.host, this.port))) {
      if (child.exitCode !== null || performance.now() > until) {
        child.kill('SIGKILL')
        throw new Error(`the event store's double does not answer; its log is in ${this.folder}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async kill(): Promise<void> {
    this.child?.kill('SIGKILL')
    await this.ended
  }

  async stop(): Promise<void> {
    this.child?.kill('SIGTERM')
    await this.ended
  }

  freeze(): void {
    this.child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.child?.kill('SIGCONT')
  }
}

const isListening = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 }, () => settle(true))
    const settle = (isSo: boolean) => {
      socket.destroy()
      resolve(isSo)
    }
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
  })

const readyWithinMs = 30_000

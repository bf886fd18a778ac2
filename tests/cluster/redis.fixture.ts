import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRedis, type RedisOptions, type RedisServers } from '@almanac/adapters/redis'
import { systemClock } from '@almanac/adapters/system'
import type { Member } from '@almanac/domain'
import { PortFault } from '@almanac/engine'
import { type RedisServer, startRedis } from '@almanac/infra'

/** A cluster's name that no other test has. */
export const freshPrefix = (): string => `test-${randomBytes(6).toString('hex')}`

export const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export const urlOf = (servers: readonly { readonly url: string }[]): string =>
  servers.map(({ url }) => url).join()

export const openFor = (
  servers: readonly { readonly url: string }[],
  changes: Partial<RedisOptions> = {},
): Promise<RedisServers> => openRedis({ url: urlOf(servers), clock: systemClock(), ...changes })

export const memberOf = (nodeId: string, changes: Partial<Member> = {}): Member => ({
  nodeId,
  instance: `${nodeId}-first`,
  region: '',
  weight: 1,
  engineVersion: '1',
  tzVersion: '2025b',
  ...changes,
})

/** Servers of a spec's own. */
export interface OwnServers {
  readonly servers: readonly RedisServer[]
  close(): Promise<void>
}

export async function startServers(count: number): Promise<OwnServers> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-redis-'))
  const servers = await Promise.all(
    Array.from({ length: count }, (_, n) => startRedis({ folder: join(folder, `${n}`) })),
  )
  return {
    servers,
    close: async () => {
      await Promise.all(servers.map((server) => server.kill()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Until it says yes; throws after `ms`. */
export async function until(isSo: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  const end = performance.now() + ms
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not so after ${ms} ms`)
    await pass(20)
  }
}

/** A way to a server that can be slow, or swallow everything. */
export class Relay {
  /** The server's answers are so late. Milliseconds. */
  answersAfterMs = 0
  /** Nothing gets through any more, either way; connections stay. */
  isBlackHole = false
  readonly url: string
  private readonly server
  private readonly sockets: Set<Socket>
  private readonly dead = new WeakSet<Socket>()

  private constructor(url: string, server: ReturnType<typeof createServer>, sockets: Set<Socket>) {
    this.url = url
    this.server = server
    this.sockets = sockets
  }

  static async to(target: RedisServer): Promise<Relay> {
    const sockets = new Set<Socket>()
    const server = createServer((client) => relay.join(client, connect(target.port, target.host)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const relay = new Relay(`redis://127.0.0.1:${port}`, server, sockets)
    return relay
  }

  /** Nothing gets through on the connections that there are, for ever; nobody is told. New ones are as always. */
  forgetConnections(): void {
    for (const socket of this.sockets) this.dead.add(socket)
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private join(client: Socket, upstream: Socket): void {
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(from)
      let lastAt = 0
      from.on('data', (bytes) => {
        // What came first gets there first, also when less is waited for than before.
        lastAt = Math.max(lastAt, performance.now() + (from === upstream ? this.answersAfterMs : 0))
        setTimeout(() => {
          if (!this.isBlackHole && !this.dead.has(to) && !to.destroyed) to.write(bytes)
        }, lastAt - performance.now())
      })
      from.on('error', () => {})
      from.on('close', () => {
        this.sockets.delete(from)
        if (!this.isBlackHole && !this.dead.has(to)) to.destroy()
      })
    }
  }
}

/** Settles as `unavailable`, and does so at all: `ms` is far beyond every deadline that tests give. */
export async function unavailableSoon(work: Promise<unknown>, ms = 5_000): Promise<string> {
  const settled = work.then(
    (value) => `answered ${JSON.stringify(value)}`,
    (error) => error,
  )
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`pending after ${ms} ms`), ms)
  })
  const outcome = await Promise.race([settled, late])
  clearTimeout(timer)
  if (!(outcome instanceof PortFault)) throw new Error(`not unavailable but: ${outcome}`, { cause: outcome })
  if (outcome.code !== 'unavailable') throw outcome
  return outcome.message
}

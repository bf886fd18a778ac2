import { type Clock, type PortFault, unavailable } from '@almanac/engine'
import type { AccessRefused, ServerAccess } from '../system/index.js'
import { tooLate, within } from '../transactions/deadline.js'
import { parseRedis } from './address.js'
import { RedisConnection } from './connection.js'

export interface RedisOptions {
  /** One server, or 2k + 1 independent ones: see `parseRedis`. */
  readonly url: string
  /** Who asks, and who is trusted, where it is not in the address. */
  readonly access?: ServerAccess
  readonly clock: Clock
  /** Every call ends within this, one way or the other. Milliseconds. @default 2000 */
  readonly deadlineMs?: number
  /** Told in a sentence when a server is lost, and when it is back. */
  readonly notice?: (message: string) => void
}

/** What one server has said. */
export interface Answer<T> {
  readonly server: RedisConnection
  readonly value: T
}

/** The servers, and what a majority of them says. */
export class RedisServers {
  readonly all: readonly RedisConnection[]
  readonly majority: number
  readonly deadlineMs: number
  readonly clock: Clock

  constructor(options: RedisOptions) {
    const { url, access, clock, deadlineMs = 2_000, notice = () => {} } = options
    this.clock = clock
    this.deadlineMs = deadlineMs
    // A script that the server does not know yet takes two commands.
    const commandMs = Math.ceil(deadlineMs / 2)
    this.all = parseRedis(url, access).map((address) => new RedisConnection(address, { commandMs, notice }))
    this.majority = Math.floor(this.all.length / 2) + 1
  }

  /** Whether a majority is connected now. */
  get isReady(): boolean {
    return this.all.filter(({ isReady }) => isReady).length >= this.majority
  }

  /** Why there is no majority, when servers that are there do not let this process in, or are not trusted. */
  get refusal(): AccessRefused | undefined {
    return this.isReady ? undefined : this.all.find(({ refusal }) => refusal !== undefined)?.refusal
  }

  /**
   * Asks all servers at once and waits for each of them: the answers, at least a majority. Throws `unavailable` when
   * there are fewer; some may have done it then, so it must do no harm when it is asked again.
   */
  async ask<T>(
    what: string,
    question: (server: RedisConnection) => Promise<T>,
  ): Promise<readonly Answer<T>[]> {
    const asked = Promise.allSettled(
      this.all.map(async (server) => ({ server, value: await question(server) })),
    )
    const outcomes = await this.inTime(what, asked)
    const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    if (answers.length >= this.majority) return answers
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    throw this.fault(what, failures)
  }

  /** What the work comes to; throws `unavailable` when that takes longer than `ms`. The work itself goes on then. */
  async inTime<T>(what: string, work: Promise<T>, ms: number = this.deadlineMs): Promise<T> {
    const outcome = await within(this.clock, Math.min(ms, this.deadlineMs), work)
    if (outcome === tooLate) throw unavailable(`${what}: Redis has not answered in time`)
    return outcome
  }

  fault(what: string, failures: readonly unknown[]): PortFault {
    const reasons = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)))
    const few = `${this.all.length - failures.length} of ${this.all.length} servers have answered`
    return unavailable(`${what}: ${few}; ${reasons.join('; ')}`, failures[0])
  }

  close(): void {
    for (const server of this.all) server.close()
  }
}

/** Resolves when a connection to each server has been tried: what is out of reach then is tried again for ever. */
export async function openRedis(options: RedisOptions): Promise<RedisServers> {
  const servers = new RedisServers(options)
  const tried = Promise.all(servers.all.map((server) => server.attempted()))
  await within(options.clock, servers.deadlineMs, tried)
  return servers
}

import { type Clock, LocalRateLimiter, type Rate, type RateLimiter } from '@almanac/engine'
import { keysOf, type RedisKeys } from './keys.js'
import { script } from './script.js'
import type { RedisServers } from './servers.js'

export interface RedisRateLimiterOptions {
  /** The cluster's name: the nodes of one cluster count together. */
  readonly prefix: string
}

/** As `LocalRateLimiter` counts, by the server's clock, and several at once: answers how many it gives, or the wait. */
const takeScript = script(`
local each, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local full = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local free = math.floor((now + burst * each - full) / each + 0.000001)
if free < 1 then return { 0, string.format('%.3f', full + each - burst * each - now) } end
local given = math.min(free, wanted)
full = full + given * each
redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now) + 1)
return { given, '0' }
`)

/**
 * Rates that all nodes of a cluster share. A node takes some of a bucket in advance, a fiftieth of a second's worth, so
 * that not every request asks Redis: together the nodes let through that much more at most. What a node has not used
 * after a second it forgets. Where Redis does not answer in time, the rate is each node's own until it does.
 */
export class RedisRateLimiter implements RateLimiter {
  private readonly servers: RedisServers
  private readonly keys: RedisKeys
  private readonly clock: Clock
  private readonly alone: LocalRateLimiter
  private readonly held = new Map<string, Held>()

  constructor(servers: RedisServers, { prefix }: RedisRateLimiterOptions) {
    this.servers = servers
    this.keys = keysOf(prefix)
    this.clock = servers.clock
    this.alone = new LocalRateLimiter(servers.clock)
  }

  take(bucket: string, rate: Rate): number | Promise<number> {
    const held = this.heldOf(bucket)
    const now = this.clock.elapsed()
    if (held.left > 0 && now - held.since < holdMs) {
      held.left -= 1
      return 0
    }
    if (now < held.notBefore) return held.notBefore - now
    return this.fetch(bucket, rate, held)
  }

  /** Those who come while Redis is asked wait for the same answer, and ask again when it was not enough for all. */
  private async fetch(bucket: string, rate: Rate, held: Held): Promise<number> {
    held.asking ??= this.ask(bucket, rate, held).finally(() => {
      held.asking = undefined
    })
    const outcome = await held.asking
    return outcome === 'alone' ? this.alone.take(bucket, rate) : this.take(bucket, rate)
  }

  private async ask(bucket: string, { perSecond, burst }: Rate, held: Held): Promise<'asked' | 'alone'> {
    const wanted = Math.max(1, Math.min(Math.floor(perSecond / 50), burst))
    const values = [1_000 / perSecond, burst, wanted]
    try {
      const answer = this.serverOf(bucket).run(takeScript, [this.keys.rate(bucket)], values)
      const [given, wait] = (await this.servers.inTime('Taking of a rate', answer, patienceMs)) as [
        number,
        string,
      ]
      const now = this.clock.elapsed()
      Object.assign(
        held,
        given > 0 ? { left: given, since: now } : { left: 0, notBefore: now + Number(wait) },
      )
      return 'asked'
    } catch {
      return 'alone'
    }
  }

  /** Each bucket is on one of several independent servers: a rate needs no majority, and none is worth waiting for. */
  private serverOf(bucket: string) {
    let sum = 0
    for (const letter of bucket) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521
    const server = this.servers.all[sum % this.servers.all.length]
    if (server === undefined) throw new Error('there is no server')
    return server
  }

  private heldOf(bucket: string): Held {
    const known = this.held.get(bucket)
    if (known !== undefined) return known
    if (this.held.size >= maxHeld) this.held.clear()
    const fresh = { left: 0, since: 0, notBefore: 0, asking: undefined }
    this.held.set(bucket, fresh)
    return fresh
  }
}

interface Held {
  left: number
  since: number
  /** Redis has said that there is nothing before then. */
  notBefore: number
  asking: Promise<'asked' | 'alone'> | undefined
}

const holdMs = 1_000
const patienceMs = 100
const maxHeld = 10_000

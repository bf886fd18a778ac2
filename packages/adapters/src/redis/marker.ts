import type { Marker } from '@almanac/domain'
import { type Clock, createStop, eitherStop, PortFault, type Stop } from '@almanac/engine'
import { keysOf, type RedisKeys } from './keys.js'
import { script } from './script.js'
import type { RedisServers } from './servers.js'

export interface RedisMarkerOptions {
  /** The cluster's name. */
  readonly prefix: string
  /** How often all markers are written again, in case that Redis has lost them. Milliseconds. @default 15000 */
  readonly repeatMs?: number
  /** Told when markers could not be published, or read again by `watch`: it is tried again later. */
  readonly onFault?: (fault: PortFault) => void
}

const defaultRepeatMs = 15_000

/** Fields are `position at`. A lower position than the one that is there changes nothing, and nobody is told. */
const publishScript = script(`
local moved = 0
for i = 2, #ARGV, 3 do
  local namespace, position, at = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local known = redis.call('HGET', KEYS[1], namespace)
  if not known or tonumber(position) > tonumber(string.match(known, '^%d+')) then
    redis.call('HSET', KEYS[1], namespace, position .. ' ' .. at)
    redis.call('PUBLISH', ARGV[1], position .. ' ' .. at .. ' ' .. namespace)
    moved = moved + 1
  end
end
return moved
`)

/**
 * The last change of each namespace, in Redis for whoever wants to know without asking a node. Derived from the event
 * log by each node, and only ever moving forward: it does not matter who writes it, how often, or in which order.
 * Redis may lose it: it is written again within `repeatMs`.
 *
 * With several servers, a majority has it when it is published, and a majority is asked.
 */
export class RedisMarker {
  private readonly servers: RedisServers
  private readonly options: RedisMarkerOptions
  private readonly keys: RedisKeys
  private readonly known = new Map<string, Marker>()
  private readonly unpublished = new Set<string>()
  private changed = createStop()

  constructor(servers: RedisServers, options: RedisMarkerOptions) {
    this.servers = servers
    this.options = options
    this.keys = keysOf(options.prefix)
  }

  /** Notes a marker: `run` publishes it. One that is not ahead of what is known is left aside. */
  set(namespace: string, marker: Marker): void {
    if (marker.position <= (this.known.get(namespace)?.position ?? -1)) return
    this.known.set(namespace, marker)
    this.unpublished.add(namespace)
    this.changed.stop()
  }

  /** Publishes what `set` has noted, as it comes, and everything again now and then, until `stop`. */
  async run(stop: Stop): Promise<void> {
    const { repeatMs = defaultRepeatMs } = this.options
    const { clock } = this.servers
    let repeatAt = clock.elapsed() + repeatMs
    while (!stop.stopped) {
      this.changed = createStop()
      if (clock.elapsed() >= repeatAt) {
        for (const namespace of this.known.keys()) this.unpublished.add(namespace)
        repeatAt = clock.elapsed() + repeatMs
      }
      if (this.unpublished.size > 0 && !(await this.publishNoted())) await clock.sleep(retryMs, stop)
      else await sleep(clock, repeatAt - clock.elapsed(), this.changed, stop)
    }
  }

  /** Publishes at once. Throws `unavailable` when less than a majority has it. */
  async publish(markers: ReadonlyMap<string, Marker>): Promise<void> {
    if (markers.size === 0) return
    const values = [...markers].flatMap(([namespace, { position, at }]) => [namespace, position, at])
    await this.servers.ask('Publishing markers', (server) =>
      server.run(publishScript, [this.keys.markers], [this.keys.markerMoved, ...values]),
    )
  }

  /** The newest marker of each namespace. Throws `unavailable` when less than a majority has answered. */
  async read(): Promise<ReadonlyMap<string, Marker>> {
    const answers = await this.servers.ask('Reading markers', (server) => server.hgetall(this.keys.markers))
    const newest = new Map<string, Marker>()
    for (const [namespace, text] of answers.flatMap(({ value }) => Object.entries(value))) {
      const marker = markerOf(text)
      if (marker.position > (newest.get(namespace)?.position ?? -1)) newest.set(namespace, marker)
    }
    return newest
  }

  /**
   * Tells of every marker that there is, then of each that moves, until `stop`. What was missed while Redis was out of
   * reach is told within `repeatMs` after; in between, of several moves only the last is.
   */
  async watch(onMoved: (namespace: string, marker: Marker) => void, stop: Stop): Promise<void> {
    const { repeatMs = defaultRepeatMs } = this.options
    const told = new Map<string, number>()
    const tell = (namespace: string, marker: Marker) => {
      if (stop.stopped || marker.position <= (told.get(namespace) ?? -1)) return
      told.set(namespace, marker.position)
      onMoved(namespace, marker)
    }
    let subscribed = createStop()
    const ends = this.servers.all.map((server) =>
      server.subscribe(
        this.keys.markerMoved,
        (text) => tell(text.split(' ').slice(2).join(' '), markerOf(text)),
        () => subscribed.stop(),
      ),
    )
    while (!stop.stopped) {
      subscribed = createStop()
      await this.tolerant(async () => {
        for (const [namespace, marker] of await this.read()) tell(namespace, marker)
      })
      await sleep(this.servers.clock, repeatMs, subscribed, stop)
    }
    for (const end of ends) end()
  }

  private async publishNoted(): Promise<boolean> {
    const markers = new Map([...this.known].filter(([namespace]) => this.unpublished.has(namespace)))
    this.unpublished.clear()
    const isDone = await this.tolerant(() => this.publish(markers))
    if (!isDone) for (const namespace of markers.keys()) this.unpublished.add(namespace)
    return isDone
  }

  private async tolerant(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (fault) {
      if (!(fault instanceof PortFault)) throw fault
      this.options.onFault?.(fault)
      return false
    }
  }
}

const retryMs = 1_000

/** Until the time is over, or one of the two fires. */
async function sleep(clock: Clock, ms: number, one: Stop, other: Stop): Promise<void> {
  const { stop, forget } = eitherStop(one, other)
  await clock.sleep(Math.max(0, ms), stop)
  forget()
}

function markerOf(text: string): Marker {
  const [position, at] = text.split(' ')
  return { position: Number(position), at: Number(at) }
}

import type { Instant, Zone } from '@almanac/recurrence'
import { dayMs, hourMs, minuteMs, nextStart, startOf, type Unit, weekdayOf } from './local-time.js'

/** A stretch of the load over time. */
export interface LoadBucket {
  readonly from: Instant
  readonly until: Instant
  readonly runs: number
  readonly byNode: readonly number[]
  /** In the order of `Load.queues`. */
  readonly byQueue: readonly number[]
}

export interface Peak {
  readonly at: Instant
  readonly runs: number
}

export interface Load {
  /** How long a bucket is: `5 min`, `hour`, `day` ... */
  readonly bucket: string
  readonly buckets: readonly LoadBucket[]
  /** The busiest first; all others are `other`. */
  readonly queues: readonly string[]
  /** Runs by weekday (Sunday first) and hour of the day, in the zone of the forecast. */
  readonly heat: readonly (readonly number[])[]
  readonly busiestSeconds: readonly Peak[]
  readonly busiestMinutes: readonly Peak[]
}

/** No picture shows more bars. */
const maxBuckets = 400
/** Queues with a colour of their own. */
const maxQueues = 8
const peaksKept = 10

/** Counts runs by time, in memory that does not grow with them. Runs must come in the order of time. */
export class LoadMeter {
  private readonly zone: Zone
  private readonly to: Instant
  private readonly bucket: string
  private readonly starts: readonly Instant[]
  private readonly queues: readonly string[]
  private readonly nodes: number
  private readonly counts: Float64Array
  private readonly width: number
  private readonly heat = new Float64Array(7 * 24)
  private readonly seconds = new PeakKeeper(1_000)
  private readonly minutes = new PeakKeeper(minuteMs)
  private place = 0
  private lastAt = Number.NaN
  private heatCell = 0

  constructor(from: Instant, to: Instant, zone: Zone, nodes: number, queues: readonly string[]) {
    this.zone = zone
    this.to = to
    this.nodes = nodes
    this.queues = queues
    this.width = nodes + queues.length
    const { name, starts } = bucketsOf(from, to, zone)
    this.bucket = name
    this.starts = starts
    this.counts = new Float64Array(starts.length * this.width)
  }

  add(at: Instant, node: number, queue: number): void {
    if (at !== this.lastAt) this.advance(at)
    const row = this.place * this.width
    this.counts[row + node] = (this.counts[row + node] ?? 0) + 1
    const cell = row + this.nodes + queue
    this.counts[cell] = (this.counts[cell] ?? 0) + 1
    this.heat[this.heatCell] = (this.heat[this.heatCell] ?? 0) + 1
    this.seconds.add(at)
    this.minutes.add(at)
  }

  private advance(at: Instant): void {
    this.lastAt = at
    while (this.place + 1 < this.starts.length && (this.starts[this.place + 1] ?? 0) <= at) this.place += 1
    const local = this.zone.toLocal(at)
    this.heatCell = weekdayOf(local) * 24 + Math.floor((local - Math.floor(local / dayMs) * dayMs) / hourMs)
  }

  result(): Load {
    const shown = this.shownQueues()
    return {
      bucket: this.bucket,
      buckets: this.starts.map((from, index) => this.bucketAt(from, index, shown)),
      queues: shown.map(({ name }) => name),
      heat: Array.from({ length: 7 }, (_, day) => [...this.heat.slice(day * 24, day * 24 + 24)]),
      busiestSeconds: this.seconds.result(),
      busiestMinutes: this.minutes.result(),
    }
  }

  private bucketAt(from: Instant, index: number, shown: readonly ShownQueue[]): LoadBucket {
    const row = [...this.counts.slice(index * this.width, (index + 1) * this.width)]
    const byNode = row.slice(0, this.nodes)
    const sum = (members: readonly number[]) =>
      members.reduce((total, queue) => total + (row[this.nodes + queue] ?? 0), 0)
    return {
      from,
      until: this.starts[index + 1] ?? this.to,
      runs: byNode.reduce((total, runs) => total + runs, 0),
      byNode,
      byQueue: shown.map(({ members }) => sum(members)),
    }
  }

  private shownQueues(): readonly ShownQueue[] {
    const totals = this.queues.map((name, queue) => {
      let runs = 0
      for (let row = 0; row < this.starts.length; row++)
        runs += this.counts[row * this.width + this.nodes + queue] ?? 0
      return { name, queue, runs }
    })
    totals.sort((a, b) => b.runs - a.runs || (a.name < b.name ? -1 : 1))
    const single = totals.length > maxQueues ? maxQueues - 1 : maxQueues
    const rest = totals.slice(single)
    return [
      ...totals.slice(0, single).map(({ name, queue }) => ({ name, members: [queue] })),
      ...(rest.length === 0
        ? []
        : [{ name: `${rest.length} other`, members: rest.map(({ queue }) => queue) }]),
    ]
  }
}

interface ShownQueue {
  readonly name: string
  readonly members: readonly number[]
}

/** The shortest buckets that are not too many; hours and longer ones begin where the local clock says. */
function bucketsOf(from: Instant, to: Instant, zone: Zone): { name: string; starts: readonly Instant[] } {
  const span = to - from
  const even: readonly (readonly [string, number])[] = [
    ['second', 1_000],
    ['10 s', 10_000],
    ['minute', minuteMs],
    ['5 min', 5 * minuteMs],
    ['15 min', 15 * minuteMs],
  ]
  const fits = even.find(([, ms]) => span / ms <= maxBuckets)
  if (fits !== undefined) {
    const [name, ms] = fits
    return { name, starts: walk(from, to, (at) => (Math.floor(at / ms) + 1) * ms) }
  }
  const units: readonly (readonly [Unit, number])[] = [
    ['hour', hourMs],
    ['day', dayMs],
    ['week', 7 * dayMs],
    ['month', 30 * dayMs],
  ]
  const [unit] = units.find(([, ms]) => span / ms <= maxBuckets) ?? (['month', 0] as const)
  return { name: unit, starts: walk(startOf(zone, unit, from), to, (at) => nextStart(zone, unit, at), from) }
}

function walk(start: Instant, to: Instant, next: (at: Instant) => Instant, from = start): readonly Instant[] {
  const starts = [from]
  for (let at = next(start); at < to; at = next(at)) if (at > from) starts.push(at)
  return starts
}

/** The most runs in one second, minute ... of the clock. */
class PeakKeeper {
  private readonly length: number
  private readonly peaks: Peak[] = []
  private at = Number.NaN
  private runs = 0

  constructor(length: number) {
    this.length = length
  }

  add(instant: Instant): void {
    if (instant >= this.at && instant < this.at + this.length) {
      this.runs += 1
      return
    }
    this.close()
    this.at = Math.floor(instant / this.length) * this.length
    this.runs = 1
  }

  result(): readonly Peak[] {
    this.close()
    this.runs = 0
    return [...this.peaks]
  }

  private close(): void {
    const { at, runs, peaks } = this
    if (runs === 0 || (peaks.length === peaksKept && runs <= (peaks.at(-1)?.runs ?? 0))) return
    const place = peaks.findIndex((peak) => peak.runs < runs)
    peaks.splice(place < 0 ? peaks.length : place, 0, { at, runs })
    if (peaks.length > peaksKept) peaks.pop()
  }
}

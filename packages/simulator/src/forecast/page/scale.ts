import type { Instant, Zone } from '@almanac/recurrence'
import { dayMs, hourMs, minuteMs, nextStart, startOf, type Unit } from '../local-time.js'

/** Round values from 0 up to `most` at least: four or five steps. */
export function roundTicks(most: number): readonly number[] {
  const highest = Math.max(1, most)
  const raw = highest / 4
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = Math.max(1, power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10))
  return Array.from({ length: Math.ceil(highest / step) + 1 }, (_, index) => index * step)
}

export interface TimeTick {
  readonly at: Instant
  readonly label: string
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const maxTicks = 13

/** Where local months, days, hours or minutes begin, so that there are not too many of them. */
export function timeTicks(from: Instant, to: Instant, zone: Zone): readonly TimeTick[] {
  const span = to - from
  const units: readonly (readonly [Unit, number])[] = [
    ['hour', hourMs],
    ['day', dayMs],
    ['month', 30 * dayMs],
  ]
  const unit =
    units.find(([, ms]) => span / ms <= 31 && span / ms >= 2)?.[0] ?? (span < 2 * hourMs ? null : 'month')
  const starts = unit === null ? minuteStarts(from, to) : unitStarts(from, to, zone, unit)
  const every = Math.ceil(starts.length / maxTicks)
  return starts
    .filter((_, index) => index % every === 0)
    .map((at) => ({ at, label: labelOf(zone.toLocal(at), unit) }))
}

function unitStarts(from: Instant, to: Instant, zone: Zone, unit: Unit): readonly Instant[] {
  const starts: Instant[] = []
  for (let at = startOf(zone, unit, from); at < to; at = nextStart(zone, unit, at))
    if (at >= from) starts.push(at)
  return starts
}

function minuteStarts(from: Instant, to: Instant): readonly Instant[] {
  const step = to - from <= 2 * minuteMs ? 10_000 : minuteMs
  const first = Math.ceil(from / step)
  return Array.from(
    { length: Math.max(0, Math.ceil(to / step) - first) },
    (_, index) => (first + index) * step,
  )
}

function labelOf(local: number, unit: Unit | null): string {
  const date = new Date(local)
  const month = months[date.getUTCMonth()] ?? ''
  if (unit === 'month') return month === 'Jan' ? String(date.getUTCFullYear()) : month
  if (unit === 'day') return `${date.getUTCDate()} ${month}`
  return date.toISOString().slice(11, unit === 'hour' || date.getUTCSeconds() === 0 ? 16 : 19)
}

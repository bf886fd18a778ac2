/**
 * One time field as tables: the next chosen value from each value, the last one up to it, and how many lie
 * below.
 */
interface FieldTables {
  readonly first: number
  readonly last: number
  readonly count: number
  /**
   * `next[v]`: the smallest chosen value >= v, or the field's size when there is none; defined for 0..size.
   */
  readonly next: Int8Array
  /** `prev[v + 1]`: the greatest chosen value <= v, or -1; defined for v = -1..size - 1. */
  readonly prev: Int8Array
  /** `below[v]`: how many chosen values are < v; defined for 0..size. */
  readonly below: Int8Array
}

function tables(values: readonly number[], size: number): FieldTables {
  const next = new Int8Array(size + 1).fill(size)
  const prev = new Int8Array(size + 1).fill(-1)
  const below = new Int8Array(size + 1)
  const chosen = new Uint8Array(size)
  for (const value of values) chosen[value] = 1
  for (let value = size - 1; value >= 0; value--)
    next[value] = chosen[value] ? value : (next[value + 1] ?? size)
  for (let value = 0; value < size; value++) {
    prev[value + 1] = chosen[value] ? value : (prev[value] ?? -1)
    below[value + 1] = (below[value] ?? 0) + (chosen[value] ?? 0)
  }
  return { first: next[0] ?? size, last: prev[size] ?? -1, count: values.length, next, prev, below }
}

/** The firing times of a day, in seconds since its midnight. The same every firing day. */
export class DayTimes {
  readonly first: number
  readonly last: number
  readonly count: number
  private readonly hours: FieldTables
  private readonly minutes: FieldTables
  private readonly seconds: FieldTables

  /** Every list must hold one value at least. */
  constructor(hours: readonly number[], minutes: readonly number[], seconds: readonly number[]) {
    this.hours = tables(hours, 24)
    this.minutes = tables(minutes, 60)
    this.seconds = tables(seconds, 60)
    this.first = this.hours.first * 3600 + this.minutes.first * 60 + this.seconds.first
    this.last = this.hours.last * 3600 + this.minutes.last * 60 + this.seconds.last
    this.count = this.hours.count * this.minutes.count * this.seconds.count
  }

  /** The first time at or after `time` (0 to 86399), or 86400 when the day has none left. */
  from(time: number): number {
    let hour = (time / 3600) | 0
    const inHour = time - hour * 3600
    let minute = (inHour / 60) | 0
    const nextHour = this.hours.next[hour] ?? 24
    if (nextHour === hour) {
      const written = inHour - minute * 60
      let second = this.seconds.next[written] ?? 60
      if (second === 60) {
        second = this.seconds.first
        minute += 1
      }
      const nextMinute = this.minutes.next[minute] ?? 60
      if (nextMinute !== minute) second = this.seconds.first
      if (nextMinute !== 60) return hour * 3600 + nextMinute * 60 + second
      hour += 1
    }
    const later = this.hours.next[hour] ?? 24
    return later === 24 ? 86_400 : later * 3600 + this.minutes.first * 60 + this.seconds.first
  }

  /** The last time at or before `time` (0 to 86399), or -1 when the day has none yet. */
  to(time: number): number {
    let hour = (time / 3600) | 0
    const inHour = time - hour * 3600
    let minute = (inHour / 60) | 0
    if (this.hours.prev[hour + 1] === hour) {
      let second = this.seconds.prev[inHour - minute * 60 + 1] ?? -1
      if (second === -1) {
        second = this.seconds.last
        minute -= 1
      }
      const lastMinute = this.minutes.prev[minute + 1] ?? -1
      if (lastMinute !== minute) second = this.seconds.last
      if (lastMinute !== -1) return hour * 3600 + lastMinute * 60 + second
      hour -= 1
    }
    const earlier = this.hours.prev[hour + 1] ?? -1
    return earlier === -1 ? -1 : earlier * 3600 + this.minutes.last * 60 + this.seconds.last
  }

  /** How many times of the day are before `time` (0 to 86399). */
  below(time: number): number {
    const hour = (time / 3600) | 0
    const minute = ((time - hour * 3600) / 60) | 0
    const perMinute = this.seconds.count
    let total = (this.hours.below[hour] ?? 0) * this.minutes.count * perMinute
    if (this.hours.next[hour] !== hour) return total
    total += (this.minutes.below[minute] ?? 0) * perMinute
    if (this.minutes.next[minute] !== minute) return total
    return total + (this.seconds.below[time - hour * 3600 - minute * 60] ?? 0)
  }
}

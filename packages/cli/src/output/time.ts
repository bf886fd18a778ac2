const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

// From the largest unit down: a unit is used once two of it have passed (one, below hours), so that
// "90 min" and "36 h" keep their precision.
const units: readonly (readonly [number, number, string])[] = [
  [2 * 365 * day, 365 * day, 'y'],
  [60 * day, 30 * day, 'mo'],
  [2 * day, day, 'd'],
  [2 * hour, hour, 'h'],
  [2 * minute, minute, 'min'],
  [second, second, 's'],
]

/** `in 4 min`, `3 h ago`, `now`. Milliseconds in, rounded towards zero. */
export const relative = (instant: number, now: number): string => {
  const distance = Math.abs(instant - now)
  const unit = units.find(([from]) => distance >= from)
  if (!unit) return 'now'
  const text = `${Math.floor(distance / unit[1])} ${unit[2]}`
  return instant > now ? `in ${text}` : `${text} ago`
}

/** `850 ms`, `12.3 s`, `4 min 10 s` */
export const duration = (ms: number): string => {
  if (ms < second) return `${Math.round(ms)} ms`
  if (ms < minute) return `${(ms / second).toFixed(1)} s`
  if (ms < hour) return `${Math.floor(ms / minute)} min ${Math.floor((ms % minute) / second)} s`
  return `${Math.floor(ms / hour)} h ${Math.floor((ms % hour) / minute)} min`
}

/** `2026-11-24 18:16:00Z`, with milliseconds only when there are some. */
export const instantText = (instant: number): string =>
  new Date(instant).toISOString().replace('T', ' ').replace('.000Z', 'Z')

/** An ISO 8601 text of the API as epoch milliseconds, null for null or undefined. */
export const instantOf = (text: string | null | undefined): number | null =>
  text === null || text === undefined ? null : Date.parse(text)

const relativeForm = /^([+-])(\d+)(s|min|m|h|d|w)$/
const lengths: Readonly<Record<string, number>> = {
  s: second,
  min: minute,
  m: minute,
  h: hour,
  d: day,
  w: 7 * day,
}
const absoluteForm = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d))?$/

/**
 * An instant as people type it: ISO 8601 with an offset, a date (its midnight in UTC), `now`, or a distance from
 * now such as `-2h` or `+1d`. Undefined when it is none of these.
 */
export const readInstant = (text: string, now: number): number | undefined => {
  if (text === 'now') return now
  const distance = relativeForm.exec(text)
  if (distance) {
    const length = Number(distance[2]) * (lengths[distance[3] ?? ''] ?? 0)
    return distance[1] === '+' ? now + length : now - length
  }
  if (!absoluteForm.test(text)) return undefined
  const parsed = Date.parse(text.replace(' ', 'T'))
  // `Date.parse` rolls 30 February over; a date that does not come back is none.
  if (Number.isNaN(parsed) || Number.isNaN(Date.parse(`${text.slice(0, 10)}T00:00:00Z`))) return undefined
  const daysMidnight = new Date(`${text.slice(0, 10)}T00:00:00Z`).toISOString().slice(0, 10)
  return daysMidnight === text.slice(0, 10) ? parsed : undefined
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: second,
  sec: second,
  second: second,
  seconds: second,
  m: minute,
  min: minute,
  minute: minute,
  minutes: minute,
  h: hour,
  hour: hour,
  hours: hour,
  d: day,
  day: day,
  days: day,
  w: 7 * day,
  week: 7 * day,
  weeks: 7 * day,
  y: 365 * day,
  year: 365 * day,
  years: 365 * day,
}

/**
 * `90s`, `10min`, `1.5h`, `10 minutes`, `2d`, `1w`, `1y` in milliseconds; a day has 24 hours, a year 365 days.
 * Undefined for anything else.
 */
export function readDuration(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/.exec(text.trim())
  const unit = parts === null ? undefined : units[parts[2] ?? '']
  if (parts === null || unit === undefined) return undefined
  const ms = Math.round(Number(parts[1]) * unit)
  return ms <= 1_000 * 365 * day ? ms : undefined
}

/** `850 ms`, `12 s`, `4 min 10 s`, `3 h 5 min`, `12 d 4 h` */
export function durationText(ms: number): string {
  if (ms < second) return `${ms} ms`
  if (ms < minute) return `${ms % second === 0 ? ms / second : (ms / second).toFixed(1)} s`
  const of = (larger: number, name: string, smaller: number, rest: string) => {
    const left = Math.floor((ms % larger) / smaller)
    return `${Math.floor(ms / larger)} ${name}${left === 0 ? '' : ` ${left} ${rest}`}`
  }
  if (ms < hour) return of(minute, 'min', second, 's')
  return ms < day ? of(hour, 'h', minute, 'min') : of(day, 'd', hour, 'h')
}

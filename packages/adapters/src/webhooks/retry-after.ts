import type { Instant } from '@almanac/recurrence'

/** `Retry-After`: seconds, or a time (RFC 9110). Milliseconds from now; null: there is none that can be read. */
export function retryAfterMs(header: string | undefined, now: Instant): number | null {
  if (header === undefined) return null
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1_000
  const at = /^[A-Za-z]{3}, \d{2} [A-Za-z]{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(header.trim())
    ? Date.parse(header)
    : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}

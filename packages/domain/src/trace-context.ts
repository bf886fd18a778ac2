/**
 * Where something belongs in a trace, as the header `traceparent` of W3C Trace Context writes it:
 * `00-<trace id, 32 hex digits>-<span id, 16>-<flags, 2>`. It explains and decides nothing: no id, digest or plan
 * depends on it.
 */
export type Traceparent = string

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** The context in version 00; undefined for what is none. Later versions may say more, which is left out. */
export function traceparentOf(text: unknown): Traceparent | undefined {
  if (typeof text !== 'string' || text.length > 512) return undefined
  const [, version, traceId, spanId, flags, more] = form.exec(text) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (traceId === undefined || /^0+$/.test(traceId) || spanId === undefined || /^0+$/.test(spanId)) {
    return undefined
  }
  return `00-${traceId}-${spanId}-${flags}`
}

/** Of a context that `traceparentOf` has let through. */
export const traceIdOf = (traceparent: Traceparent): string => traceparent.slice(3, 35)
export const spanIdOf = (traceparent: Traceparent): string => traceparent.slice(36, 52)

/** Whether whoever began the trace wants it recorded. */
export const isSampled = (traceparent: Traceparent): boolean =>
  (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1

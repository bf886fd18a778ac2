import { type Instant, parseInstant } from '@almanac/recurrence'
import { isoOf } from './instant-text.js'

/** What a worker tells of a run. Those after `failed` may come without a `started`. */
export const runEventTypes = ['started', 'progress', 'succeeded', 'failed', 'expired', 'cancelled'] as const
export type RunEventType = (typeof runEventTypes)[number]

/** The version of `RunEventJson` that is written; events of others are not read. */
export const runEventVersion = 1

/** A longer message is no run event: it is passed over without a look into it. */
export const maxRunEventLength = 65_536
/** What is longer is cut: a failure with a long stack trace is still a failure. */
export const maxRunErrorLength = 8_192

/** A run event as it is in the topic: the value of a record whose key is the run id. Unknown members are allowed. */
export interface RunEventJson {
  readonly version: typeof runEventVersion
  readonly type: RunEventType
  readonly runId: string
  /** By the worker's clock, as ISO 8601. */
  readonly at: string
  /** Which attempt it is about, from 1. @default 1 */
  readonly attempt?: number
  readonly worker?: string
  /** Shown in the history. With `failed` and `cancelled`. */
  readonly error?: string
  /** With `failed`: another attempt follows, not before this. Absent or null: the run has failed for good. */
  readonly retryAt?: string | null
}

export interface RunEvent {
  readonly type: RunEventType
  readonly runId: string
  readonly at: Instant
  readonly attempt: number
  readonly worker: string | null
  readonly error: string | null
  readonly retryAt: Instant | null
}

export interface RunEventFault {
  readonly code: 'too_long' | 'not_json' | 'unknown_version' | 'bad_field'
  readonly message: string
}

export type RunEventResult =
  | { readonly ok: true; readonly event: RunEvent }
  | { readonly ok: false; readonly fault: RunEventFault }

export const runEventJson = (event: RunEvent): RunEventJson => ({
  version: runEventVersion,
  type: event.type,
  runId: event.runId,
  at: isoOf(event.at),
  attempt: event.attempt,
  ...(event.worker === null ? {} : { worker: event.worker }),
  ...(event.error === null ? {} : { error: event.error }),
  ...(event.retryAt === null ? {} : { retryAt: isoOf(event.retryAt) }),
})

/** Reads the value of a record of run events. Never throws. */
export function parseRunEvent(text: string): RunEventResult {
  if (text.length > maxRunEventLength)
    return faulty('too_long', `is longer than ${maxRunEventLength} characters`)
  const json = objectIn(text)
  if (json === undefined) return faulty('not_json', 'is no JSON object')
  if (json.version !== runEventVersion) {
    return faulty('unknown_version', `has version ${shown(json.version)}; ${runEventVersion} is known`)
  }
  return eventOf(json)
}

type Members = { readonly [name in keyof RunEventJson]?: unknown }

function objectIn(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function eventOf(json: Members): RunEventResult {
  const { type, runId, attempt = 1, worker = null, error = null } = json
  if (!isType(type)) return faulty('bad_field', `type ${shown(type)} is none of ${runEventTypes.join(', ')}`)
  if (typeof runId !== 'string' || runId === '' || runId.length > 200) {
    return faulty('bad_field', 'runId must be a text of 1 to 200 characters')
  }
  const at = instantIn(json.at)
  if (at === undefined) return faulty('bad_field', `at ${shown(json.at)} is no instant`)
  if (typeof attempt !== 'number' || !Number.isSafeInteger(attempt) || attempt < 1) {
    return faulty('bad_field', `attempt ${shown(attempt)} is no whole number from 1`)
  }
  if (worker !== null && (typeof worker !== 'string' || worker.length > 255)) {
    return faulty('bad_field', 'worker must be a text of at most 255 characters')
  }
  if (error !== null && typeof error !== 'string') return faulty('bad_field', 'error must be a text')
  const retryAt = json.retryAt === undefined || json.retryAt === null ? null : instantIn(json.retryAt)
  if (retryAt === undefined) return faulty('bad_field', `retryAt ${shown(json.retryAt)} is no instant`)
  if (retryAt !== null && type !== 'failed') return faulty('bad_field', `retryAt does not go with ${type}`)
  const cut = error === null ? null : error.slice(0, maxRunErrorLength)
  return { ok: true, event: { type, runId, at, attempt, worker, error: cut, retryAt } }
}

const isType = (value: unknown): value is RunEventType => runEventTypes.some((type) => type === value)

function instantIn(value: unknown): Instant | undefined {
  if (typeof value !== 'string') return undefined
  const parsed = parseInstant(value)
  return parsed.ok ? parsed.value : undefined
}

const faulty = (code: RunEventFault['code'], message: string): RunEventResult => ({
  ok: false,
  fault: { code, message },
})

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'undefined').slice(0, 60)

/**
 * Events are kept as they were written. When the form of one changes, its version goes up by one and a pure function
 * from the old form to the new is added here; reading applies all that are missing, in order.
 */

/** Lifts the data of an event by one version. */
type Upcaster = (data: unknown) => unknown

/** `upcasters[type][v - 1]` lifts version v to v + 1. A type's present version is the number of them plus 1. */
export type UpcasterTable = { readonly [type: string]: readonly Upcaster[] }

export const upcasters = {
  TaskCreated: [],
  TaskChanged: [],
  TaskEnabled: [],
  TaskDisabled: [],
  TaskPaused: [],
  TaskOccurrenceCancelled: [],
  TaskOccurrenceMoved: [],
  TaskTriggered: [],
  TaskBackfillRequested: [],
  TaskHistoryReset: [],
  TaskQuarantined: [],
  TaskDeleted: [],
  TaskRestored: [],
  TaskAbandoned: [],
  ScheduleCreated: [],
  ScheduleChanged: [],
  ScheduleDeleted: [],
  CalendarCreated: [],
  CalendarChanged: [],
  CalendarDeleted: [],
  NameReserved: [],
  NameReleased: [],
  ChangeAnnounced: [],
  PartitionInitialized: [],
  PartitionProgress: [],
  PartitionRecovered: [],
  ClusterFounded: [],
  ApiKeyCreated: [],
  ApiKeyRevoked: [],
  ApiKeyUsed: [],
  WebhookCreated: [],
  WebhookChanged: [],
  WebhookDisabled: [],
  WebhookSecretRotated: [],
  WebhookDeleted: [],
  WebhookProgressed: [],
} as const satisfies UpcasterTable

export interface Versioned {
  readonly type: string
  readonly version: number
  readonly data: unknown
}

export type Upcast<E> =
  | { readonly ok: true; readonly event: E }
  /** Written by a newer program, probably. Such an event must stop its stream, not be skipped. */
  | { readonly ok: false; readonly code: 'unknown_type' | 'future_version' }

/** The event in its present version. The same object when it is there already. */
export function upcast<E extends Versioned>(event: E, table: UpcasterTable = upcasters): Upcast<E> {
  const steps = Object.hasOwn(table, event.type) ? table[event.type] : undefined
  if (steps === undefined) return { ok: false, code: 'unknown_type' }
  const current = steps.length + 1
  if (event.version === current) return { ok: true, event }
  if (!Number.isInteger(event.version) || event.version < 1 || event.version > current) {
    return { ok: false, code: 'future_version' }
  }
  const data = steps.slice(event.version - 1).reduce((lifted, step) => step(lifted), event.data)
  return { ok: true, event: { ...event, version: current, data } }
}

/** The version that events of a type are written with. */
export const currentVersion = (type: keyof typeof upcasters): number => upcasters[type].length + 1

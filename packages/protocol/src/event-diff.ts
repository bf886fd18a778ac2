import { blankSpec, type FieldDiff, type RecordedEvent } from '@almanac/domain'
import type { FieldChange } from './http/change.js'
import type { JsonObject } from './http/shape.js'
import { isoOf } from './instant-text.js'

/** Fields of a specification that hold instants: shown as ISO 8601 like everywhere else. */
const instantFields = new Set(['expires', 'startTime', 'from', 'until', 'lastRunAt', 'anchor', 'pausedUntil'])

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {})

/** A field's value as it is shown. */
export const shown = (field: string, value: unknown): unknown =>
  instantFields.has(field) && typeof value === 'number' ? isoOf(value) : value

/** What is known of an entity before an event: its specification, field by field. Undefined: not known. */
export type KnownFields = JsonObject | undefined

/** What an event changed, and what is known after it. */
export function changesOf(
  event: Pick<RecordedEvent, 'type' | 'data'>,
  before: KnownFields,
): { readonly changes: readonly FieldChange[]; readonly after: KnownFields } {
  const data = objectOf(event.data)
  switch (event.type) {
    case 'TaskCreated':
      return created(objectOf(data.spec), blankSpec as unknown as JsonObject)
    case 'ScheduleCreated':
    case 'CalendarCreated':
      return created(objectOf(data.spec), { description: '' })
    case 'TaskChanged':
    case 'ScheduleChanged':
    case 'CalendarChanged':
      return changed(before, objectOf(data.changes))
    case 'TaskEnabled':
      return changed(before, { enabled: true })
    case 'TaskDisabled':
      return changed(before, { enabled: false })
    case 'TaskOccurrenceCancelled': {
      const at = isoOf(data.at as number)
      const [was, is] = data.isBack === true ? ['cancelled', 'due'] : ['due', 'cancelled']
      return { changes: [{ path: `occurrences.${at}`, before: was, after: is }], after: before }
    }
    case 'TaskOccurrenceMoved': {
      const [at, to] = [isoOf(data.at as number), isoOf(data.to as number)]
      return { changes: [{ path: `occurrences.${at}`, before: at, after: to }], after: before }
    }
    case 'TaskPaused':
      return changed(before, { pausedUntil: data.until })
    default:
      return { changes: [], after: before }
  }
}

/** What a creation says beyond the defaults; all of it is in the event's data. */
function created(spec: JsonObject, defaults: JsonObject) {
  const changes = Object.entries(spec)
    .filter(([field, value]) => !same(value, defaults[field]))
    .map(([field, value]): FieldChange => ({ path: field, after: shown(field, value) }))
  return { changes, after: spec }
}

function changed(before: KnownFields, values: JsonObject) {
  const changes = Object.entries(values).flatMap(([field, value]): FieldChange[] =>
    before === undefined
      ? [{ path: field, after: shown(field, value) }]
      : leaves(field, shown(field, before[field] ?? null), shown(field, value)),
  )
  return { changes, after: before === undefined ? undefined : { ...before, ...values } }
}

/** How a change would be shown that was not made yet. */
export const fieldChanges = (diffs: readonly FieldDiff[]): FieldChange[] =>
  diffs.flatMap(({ field, before, after }) => leaves(field, shown(field, before), shown(field, after)))

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** The leaves that differ: objects key by key, lists and schedules of another kind as a whole. Nothing is null. */
function leaves(path: string, before: unknown, after: unknown): FieldChange[] {
  const isWhole = !isObject(before) || !isObject(after) || (path === 'schedule' && !isOneKind(before, after))
  if (isWhole) return same(before, after) ? [] : [{ path, before: before ?? null, after: after ?? null }]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return keys.flatMap((key) => leaves(`${path}.${key}`, before[key], after[key]))
}

const isOneKind = (a: JsonObject, b: JsonObject): boolean => same(Object.keys(a), Object.keys(b))

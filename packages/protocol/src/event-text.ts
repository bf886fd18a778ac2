import type { RecordedEvent } from '@almanac/domain'
import { objectOf } from './event-diff.js'
import type { FieldChange } from './http/change.js'
import { isoOf } from './instant-text.js'

const titles: { readonly [type: string]: string } = {
  TaskCreated: 'created the task',
  TaskEnabled: 'enabled it',
  TaskTriggered: 'asked for a run now',
  TaskHistoryReset: 'reset its counts',
  TaskRestored: 'restored it',
  TaskAbandoned: 'gave its creation up',
  ScheduleCreated: 'created the shared schedule',
  ScheduleDeleted: 'deleted the shared schedule',
  CalendarCreated: 'created the calendar',
  CalendarDeleted: 'deleted the calendar',
  ChangeAnnounced: 'announced a change',
}

const causes: { readonly [cause: string]: string } = {
  completed: 'disabled it: its runs are done',
  expired: 'disabled it: its schedule has ended',
}

/** How many changed fields a sentence tells before it only counts them. */
const toldChanges = 3
const toldLength = 60

/** An event in one sentence: who did what, and why. `undone`: the revision that it takes back. */
export function sentenceOf(
  event: Pick<RecordedEvent, 'type' | 'data' | 'metadata'>,
  changes: readonly FieldChange[],
  undone?: number,
): string {
  const { actor, reason } = event.metadata
  const undoing = undone === undefined ? '' : `undid revision ${undone}: `
  const why = reason === undefined || reason === '' ? '' : ` (${reason})`
  return `${actor} ${undoing}${deedOf(event, changes)}${why}`
}

function deedOf(
  { type, data }: Pick<RecordedEvent, 'type' | 'data'>,
  changes: readonly FieldChange[],
): string {
  const { cause, code, message, from, until, spec, note, at, to, isBack } = objectOf(data)
  if (type.endsWith('Changed')) return changes.length === 0 ? 'changed nothing' : `changed ${listed(changes)}`
  if (type.endsWith('Created') && titles[type] !== undefined) {
    return `${titles[type]} ${valueText(objectOf(spec).name)}`
  }
  if (type === 'TaskDisabled') return causes[String(cause)] ?? 'disabled it'
  if (type === 'TaskOccurrenceCancelled' && typeof at === 'number') {
    return `${isBack === true ? 'took back the cancelling of' : 'cancelled'} its occurrence of ${isoOf(at)}`
  }
  if (type === 'TaskOccurrenceMoved' && typeof at === 'number' && typeof to === 'number') {
    return `moved its occurrence of ${isoOf(at)} to ${isoOf(to)}`
  }
  if (type === 'TaskPaused' && typeof until === 'number') return `paused it until ${isoOf(until)}`
  if (type === 'TaskDeleted')
    return cause === 'schedule' ? 'deleted it with its shared schedule' : 'deleted it'
  if (type === 'TaskQuarantined') return `found that it cannot be planned: ${message} (${code})`
  if (type === 'TaskBackfillRequested' && typeof from === 'number' && typeof until === 'number') {
    return `asked for its runs from ${isoOf(from)} to ${isoOf(until)}`
  }
  if (type === 'ChangeAnnounced' && typeof note === 'string' && note !== '') return `announced: ${note}`
  return titles[type] ?? wordsOf(type)
}

function listed(changes: readonly FieldChange[]): string {
  const told = changes.slice(0, toldChanges).map(({ path, before, after }) => {
    const from = before === undefined ? '' : ` from ${valueText(before)}`
    return `${path}${from} to ${valueText(after)}`
  })
  const more = changes.length - told.length
  return [...told, ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

function valueText(value: unknown): string {
  const text = value === null || value === undefined ? 'none' : JSON.stringify(value)
  return text.length > toldLength ? `${text.slice(0, toldLength - 1)}…` : text
}

/** `ApiKeyRevoked` is `api key revoked`. */
const wordsOf = (type: string): string => type.replace(/(?<=[a-z])[A-Z]/g, ' $&').toLowerCase()

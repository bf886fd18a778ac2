import {
  evolveCalendar,
  evolveSchedule,
  type Position,
  type RecordedEvent,
  taskStream,
} from '@almanac/domain'
import type { AuditedEvent, AuditFilter, AuditPage, EventSubject } from '../change-types.js'
import type { EventLog } from '../ports/event-log.js'
import type { ViewStore } from '../ports/view-store.js'

/** What streams of a kind begin with. Names and progress are Almanac's own business, no changes of anything. */
const prefixes = {
  task: 'task-',
  schedule: 'schedule-',
  calendar: 'calendar-',
  key: 'keys',
  webhook: 'webhooks',
  cluster: 'cluster',
} as const satisfies { readonly [kind in EventSubject]: string }

export const prefixesOf = (kinds: readonly EventSubject[] | undefined): readonly string[] =>
  (kinds ?? (Object.keys(prefixes) as EventSubject[])).map((kind) => prefixes[kind])

/** Events of one page of the log, and how many pages one question reads: what bounds its cost. */
const pageSize = 500
const maxPages = 20

/**
 * Times are those of the commands, positions the order in which they were stored: an event may stand behind one of a
 * later time, by as much as clocks differ.
 */
const disorderMs = 60_000

interface AuditParts {
  readonly log: EventLog
  readonly views: ViewStore
}

/**
 * Changes of a namespace in the order of the log. A page may have few events or none although more follow: it is cut
 * when so much of the log has been read.
 */
export async function auditOf(
  { log, views }: AuditParts,
  namespace: string,
  after: Position,
  max: number,
  filter: AuditFilter,
): Promise<AuditPage> {
  const { from, to, taskId } = filter
  const start = from === undefined ? after : Math.max(after, views.positionAt(from - disorderMs))
  const matches = (event: RecordedEvent) =>
    event.position > start && event.metadata.namespace === namespace && isAsked(event, filter)
  if (taskId !== undefined) {
    const events = await log.readStream(taskStream(taskId))
    return { ...cut(events.filter(matches), max), position: Math.max(start, events.at(-1)?.position ?? 0) }
  }
  const streams = { streamPrefixes: prefixesOf(filter.kinds) }
  const head = await log.head()
  const found: RecordedEvent[] = []
  let position = start
  for (let pages = 0; pages < maxPages && position < head; pages++) {
    const page = await log.readAll(position, pageSize, streams)
    found.push(...page.events.filter(matches))
    if (found.length > max) break
    const isOver = page.position <= position
    position = Math.max(position, page.position)
    const last = page.events.at(-1)
    if (isOver || (to !== undefined && last !== undefined && last.metadata.at > to + disorderMs)) {
      return { ...cut(found, max), position }
    }
  }
  const page = cut(found, max)
  const last = page.events.at(-1)
  if (page.next !== null && last !== undefined) return { ...page, position: last.position }
  return { events: found, next: position < head ? position : null, position }
}

/** The first `max`; `next` is where to go on, null when these are all. */
function cut(events: readonly RecordedEvent[], max: number) {
  const first = events.slice(0, max)
  return { events: first, next: events.length > max ? (first.at(-1)?.position ?? null) : null }
}

function isAsked({ type, metadata }: RecordedEvent, filter: AuditFilter): boolean {
  const { actor, types, correlationId, from, to } = filter
  if (actor !== undefined && metadata.actor !== actor) return false
  if (types !== undefined && !types.includes(type)) return false
  if (correlationId !== undefined && metadata.correlationId !== correlationId) return false
  return (from === undefined || metadata.at >= from) && (to === undefined || metadata.at <= to)
}

/**
 * The events with the specifications that their subjects had before: those of tasks from the read models, those of
 * shared schedules and calendars, whose streams are short, from the log. Undefined: not known.
 */
export async function withBefore(
  { log, views }: AuditParts,
  events: readonly RecordedEvent[],
): Promise<readonly AuditedEvent[]> {
  const streams = new Map<string, Promise<readonly RecordedEvent[]>>()
  const streamOf = (stream: string) => {
    const known = streams.get(stream) ?? log.readStream(stream)
    streams.set(stream, known)
    return known
  }
  const specBefore = async ({ stream, revision, position }: RecordedEvent): Promise<object | undefined> => {
    if (revision === 0) return undefined
    if (stream.startsWith(prefixes.task)) {
      return views.taskAsOf(stream.slice('task-00-'.length), position - 1)?.spec
    }
    const earlier = async () => (await streamOf(stream)).slice(0, revision)
    if (stream.startsWith(prefixes.schedule)) return fold(await earlier(), evolveSchedule)?.spec
    return stream.startsWith(prefixes.calendar) ? fold(await earlier(), evolveCalendar)?.spec : undefined
  }
  return Promise.all(events.map(async (event) => ({ event, before: await specBefore(event) })))
}

const fold = <S>(
  events: readonly RecordedEvent[],
  evolve: (state: S | undefined, event: RecordedEvent) => S | undefined,
): S | undefined => events.reduce<S | undefined>(evolve, undefined)

import {
  backfilled,
  type CalendarState,
  calendarStream,
  checkRange,
  invalid,
  isPaused,
  occurrenceAfter,
  type Position,
  type RecordedEvent,
  type Refusal,
  type RunRecord,
  type RunTotals,
  refuse,
  resolveSchedule,
  type ScheduleState,
  type Subject,
  scheduleStream,
  type TaskState,
  taskStream,
} from '@almanac/domain'
import { describe, type Instant, type Result, type ScheduleValue } from '@almanac/recurrence'
import type { BackfillPreview, OccurrenceView, Queries, TaskView } from '../application.js'
import type { AuditFilter, FeedFilter } from '../change-types.js'
import type { Clock } from '../ports/clock.js'
import type { EventLog } from '../ports/event-log.js'
import type { RunFilter, RunReads } from '../ports/run-store.js'
import { findListed, type Listed, type Page, type TaskFilter, type ViewStore } from '../ports/view-store.js'
import type { LiveKeyRing } from '../projection/key-ring.js'
import type { Projector } from '../projection/projector.js'
import type { Definitions } from '../scheduling/definitions.js'
import { isPlannable } from '../scheduling/undecided.js'
import { auditOf, prefixesOf, withBefore } from './audit.js'
import { pastOccurrences, singleView } from './past-occurrences.js'

interface QueryParts {
  readonly log: EventLog
  readonly views: ViewStore
  readonly runs: RunReads
  readonly clock: Clock
  readonly projector: Projector
  readonly definitions: Definitions
  readonly keyRing: LiveKeyRing
}

/** Reads of this node's read models, its run ledger, and the event log for history. */
export class NodeQueries implements Queries {
  private readonly parts: QueryParts

  constructor(parts: QueryParts) {
    this.parts = parts
  }

  waitFor(position: Position, timeoutMs: number): Promise<boolean> {
    return this.parts.projector.waitFor(position, timeoutMs)
  }

  position(): Position {
    return this.parts.views.position()
  }

  resolveAsOf(asOf: { readonly instant?: Instant; readonly position?: Position }): Position {
    if (asOf.position !== undefined) return asOf.position
    return asOf.instant === undefined ? this.position() : this.parts.views.positionAt(asOf.instant)
  }

  task(namespace: string, taskId: string, asOf?: Position): TaskView | undefined {
    const { views } = this.parts
    const state = asOf === undefined ? views.task(taskId) : views.taskAsOf(taskId, asOf)
    if (state === undefined || state.namespace !== namespace || state.status !== 'active') return undefined
    return this.viewsOf([state], asOf)[0]
  }

  taskByName(namespace: string, name: string, asOf?: Position): TaskView | undefined {
    if (asOf !== undefined) return this.tasks(namespace, { name }, { limit: 1 }, asOf).items[0]
    const taskId = this.parts.views.taskIdByName(namespace, name)
    return taskId === undefined ? undefined : this.task(namespace, taskId)
  }

  viewOf(state: TaskState): TaskView {
    const [view] = this.viewsOf([state], undefined)
    if (view === undefined) throw new Error('one state has one view')
    return view
  }

  tasks(namespace: string, filter: TaskFilter, page: Page, asOf?: Position): Listed<TaskView> {
    const listed = this.parts.views.listTasks(namespace, filter, page, asOf)
    return { ...listed, items: this.viewsOf(listed.items, asOf) }
  }

  schedule(namespace: string, scheduleId: string, asOf?: Position): ScheduleState | undefined {
    if (asOf !== undefined) {
      const list = (page: Page) => this.schedules(namespace, page, asOf)
      return findListed(list, (state) => state.scheduleId === scheduleId)
    }
    const state = this.parts.views.schedule(scheduleId)
    return state?.namespace === namespace && state.status === 'active' ? state : undefined
  }

  schedules(namespace: string, page: Page, asOf?: Position): Listed<ScheduleState> {
    return this.parts.views.listSchedules(namespace, page, asOf)
  }

  scheduleUsers(namespace: string, scheduleName: string, max: number, asOf?: Position) {
    const { views } = this.parts
    if (asOf !== undefined) {
      const { items, total } = views.listTasks(namespace, { scheduleRef: scheduleName }, { limit: max }, asOf)
      return { names: items.map(({ spec }) => spec.name), total }
    }
    const ids = views.tasksUsing(namespace, scheduleName)
    const names = [...views.tasks(ids.slice(0, max)).values()].map((state) => state.spec.name)
    return { names, total: ids.length }
  }

  calendar(namespace: string, calendarId: string, asOf?: Position): CalendarState | undefined {
    if (asOf !== undefined) {
      const list = (page: Page) => this.calendars(namespace, page, asOf)
      return findListed(list, (state) => state.calendarId === calendarId)
    }
    const state = this.parts.views.calendar(calendarId)
    return state?.namespace === namespace && state.status === 'active' ? state : undefined
  }

  calendars(namespace: string, page: Page, asOf?: Position): Listed<CalendarState> {
    return this.parts.views.listCalendars(namespace, page, asOf)
  }

  async history(
    namespace: string,
    id: string,
    kind: Subject['kind'] = 'task',
  ): Promise<readonly RecordedEvent[]> {
    const events = await this.parts.log.readStream(streamOf[kind](id))
    return events[0]?.metadata.namespace === namespace ? events : []
  }

  async audit(namespace: string, after: Position, max: number, filter: AuditFilter) {
    const page = await auditOf(this.parts, namespace, after, max, filter)
    return { ...page, events: await withBefore(this.parts, page.events) }
  }

  async changes(namespace: string, after: Position, max: number, { kinds, taskId }: FeedFilter = {}) {
    const streamPrefixes = taskId === undefined ? prefixesOf(kinds) : [taskStream(taskId)]
    const page = await this.parts.log.readAll(after, max, { streamPrefixes })
    return {
      position: page.position,
      events: page.events.filter((event) => event.metadata.namespace === namespace),
    }
  }

  marker(namespace: string) {
    return this.parts.views.marker(namespace)
  }

  key(keyId: string) {
    return this.parts.keyRing.key(keyId)
  }

  keys() {
    return this.parts.keyRing.all()
  }

  coming(
    namespace: string,
    taskId: string,
    from: Instant,
    count: number,
  ): readonly OccurrenceView[] | undefined {
    const state = this.parts.views.task(taskId)
    if (state === undefined || state.namespace !== namespace || state.status !== 'active') return undefined
    const definition = this.parts.definitions.of(state)
    if (!isPlannable(state) || !definition.ok) return []
    const coming: OccurrenceView[] = []
    let next = occurrenceAfter(definition.value, from)
    while (next !== undefined && coming.length < count) {
      coming.push({
        at: next.scheduledAt,
        outcome: 'due',
        reason: null,
        runId: null,
        status: null,
        count: 1,
        revision: state.revision,
      })
      next = occurrenceAfter(definition.value, next.dispatchAt)
    }
    const last = coming.length < count ? Number.POSITIVE_INFINITY : (coming.at(-1)?.at ?? from)
    const isHere = (at: Instant) => at > from && at <= last
    const cancelled = state.cancelled.filter(isHere).map((at) => singleView(at, 'cancelled', state.revision))
    const moved = state.moved.map(({ at }) => at).filter(isHere)
    const all = [...coming, ...cancelled, ...moved.map((at) => singleView(at, 'moved', state.revision))]
    return all.sort((a, b) => a.at - b.at).slice(0, count)
  }

  async outcomes(
    namespace: string,
    taskId: string,
    from: Instant,
    until: Instant,
    max: number,
    isContinued = false,
  ) {
    const events = await this.history(namespace, taskId)
    if (events.length === 0) return undefined
    return pastOccurrences(this.parts, { namespace, taskId, from, until, max, isContinued }, events)
  }

  async backfillPreview(
    namespace: string,
    taskId: string,
    input: object,
  ): Promise<Result<BackfillPreview, Refusal>> {
    const view = this.task(namespace, taskId)
    if (view === undefined) return refuse('not_found', 'there is no such task')
    const range = checkRange(input, this.parts.clock.now())
    if (!range.ok) return invalid(range.error)
    const definition = this.parts.definitions.resolve(view.state)
    if (!definition.ok) return invalid(definition.error)
    const { from, until } = range.value
    const { recurrence } = definition.value
    const outcomes = (await this.outcomes(namespace, taskId, from, until, maxPreviewed)) ?? []
    const known = new Map(outcomes.map((occurrence) => [occurrence.at, occurrence]))
    const items = backfilled(recurrence, range.value).map((at) => {
      const { outcome, reason, status } = known.get(at) ?? { outcome: null, reason: null, status: null }
      return { at, outcome: outcome === 'due' ? null : outcome, reason, status }
    })
    return { ok: true, value: { total: recurrence.count(from - 1, until), runs: items.length, items } }
  }

  run(namespace: string, runId: string): RunRecord | undefined {
    const run = this.parts.runs.run(runId)
    return run?.command.namespace === namespace ? run : undefined
  }

  runs(namespace: string, filter: RunFilter, page: Page): Listed<RunRecord> {
    return this.parts.runs.list(namespace, filter, page)
  }

  private viewsOf(states: readonly TaskState[], asOf: Position | undefined): TaskView[] {
    const { runs, definitions, clock } = this.parts
    const totals = asOf === undefined ? runs.totals(states.map((state) => state.taskId)) : undefined
    const now = clock.now()
    return states.map((state) => {
      const { namespace } = state
      const lookups =
        asOf === undefined ? definitions.lookupsOf(namespace) : definitions.lookupsAsOf(namespace, asOf)
      const resolved = resolveSchedule(state, lookups)
      const definition = isPlannable(state) ? definitions.of(state) : undefined
      const next =
        definition?.ok === true && asOf === undefined ? occurrenceAfter(definition.value, now) : undefined
      return {
        state: asOf === undefined ? withoutPastPause(state, now) : state,
        scheduleValue: resolved.ok ? resolved.value.value : null,
        scheduleText: resolved.ok ? textOf(resolved.value.value) : noSchedule,
        nextRunAt: next?.dispatchAt ?? null,
        totals: totals === undefined ? null : withImported(state, totals.get(state.taskId)),
      }
    })
  }
}

/** A pause that is over is of no interest any more; no event ends it. */
const withoutPastPause = (state: TaskState, now: Instant): TaskState =>
  state.pausedUntil === null || isPaused(state, now)
    ? state
    : { ...state, pausedUntil: null, disabledReason: null }

/** Outcomes that a preview looks for. */
const maxPreviewed = 5_000

const streamOf = { task: taskStream, schedule: scheduleStream, calendar: calendarStream } as const

const noSchedule = '{no schedule}'

/** What is stored may be anything, if an older version let it pass: then the task is shown all the same. */
function textOf(schedule: ScheduleValue): string {
  try {
    return describe(schedule)
  } catch {
    return noSchedule
  }
}

/** Totals count from the last history reset, on top of what an import brought along. */
function withImported(state: TaskState, totals: RunTotals | undefined): RunTotals {
  const none = { taskId: state.taskId, totalRunCount: 0, lastRunAt: null, lastScheduledAt: null }
  // A reset holds from its event on; the ledger forgets when the next tick applies it.
  const isReset = state.historyResetAt !== null && (totals?.lastRunAt ?? 0) <= state.historyResetAt
  const counted = isReset ? none : (totals ?? none)
  if (state.imported === null || state.historyResetAt !== null) return counted
  return {
    ...counted,
    totalRunCount: counted.totalRunCount + state.imported.totalRunCount,
    lastRunAt: counted.lastRunAt ?? state.imported.lastRunAt,
  }
}

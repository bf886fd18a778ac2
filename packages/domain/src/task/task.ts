import type { Instant } from '@almanac/recurrence'
import { sameJson } from '../canonical.js'
import { definitionOf } from '../dispatch/definition.js'
import type { RecordedEvent } from '../event.js'
import { accept, type Decision, invalid, refuse } from '../refusal.js'
import { fullRunsLeft, isDone, isPaused, rhythmFields, runsLeftAfterEdit, runsLeftAt } from './arming.js'
import { cancelledWith, cancelOccurrence } from './cancelling.js'
import { movedWith, moveOccurrence } from './moving.js'
import { checkImported, checkPause, checkRange, checkTrigger } from './requests.js'
import { checkSchedule, type DecisionContext } from './schedule-check.js'
import type {
  ImportedHistory,
  TaskBackfillRequested,
  TaskChanged,
  TaskCreated,
  TaskDeleted,
  TaskDisabled,
  TaskEnabled,
  TaskEvent,
  TaskPaused,
  TaskQuarantined,
  TaskRestored,
  TaskSpec,
  TaskState,
} from './types.js'
import { blankSpec, validateTaskSpec } from './validate.js'

/** There is no task before its first event. */
export const initialTask: TaskState | undefined = undefined

/**
 * The state after one more event of the task's stream. Total: an event of a type that this version doesn't
 * know moves the revision and the hash, and leaves the rest. Never computes a recurrence: what depends on one
 * is in the event.
 */
export function evolveTask(state: TaskState | undefined, event: RecordedEvent): TaskState | undefined {
  const { type, data } = event as RecordedEvent & TaskEvent
  const at = event.metadata.at
  const step = {
    revision: event.revision,
    changedAt: at,
    changedBy: event.metadata.actor,
    hash: event.hash,
  }
  if (type === 'TaskCreated') return { ...created(data, event), ...step }
  if (type === 'TaskAbandoned') return { ...(state ?? abandoned(event)), ...step, status: 'abandoned' }
  if (state === undefined) return undefined
  const next = { ...state, ...step }
  switch (type) {
    case 'TaskChanged':
      return { ...next, ...changed(state, data, at) }
    case 'TaskEnabled':
      return { ...next, ...enabled(state, data, at) }
    case 'TaskDisabled':
      return {
        ...next,
        spec: { ...state.spec, enabled: false },
        disabledCause: data.cause,
        disabledReason: event.metadata.reason ?? null,
        pausedUntil: null,
      }
    case 'TaskPaused':
      return { ...next, ...paused(data, event.metadata.reason) }
    case 'TaskOccurrenceCancelled':
      return { ...next, cancelled: cancelledWith(state.cancelled, data) }
    case 'TaskOccurrenceMoved':
      return { ...next, moved: movedWith(state.moved, data) }
    case 'TaskHistoryReset':
      return {
        ...next,
        armedAt: notBeforePause(state, at),
        runsLeft: fullRunsLeft(state.spec),
        historyResetAt: at,
      }
    case 'TaskQuarantined':
      return { ...next, quarantine: data }
    case 'TaskDeleted':
      return { ...next, status: 'deleted' }
    case 'TaskRestored':
      return { ...next, ...restored(state, data, at) }
    default:
      return isUnreadable(event) ? { ...next, quarantine: unreadable(event) } : next
  }
}

/** Stores mark an event of a newer form than this program knows as `Type@version`. */
const isUnreadable = ({ type }: RecordedEvent): boolean => type.includes('@')

/** What it says is not known, so what the task should do is not known either: better not run than run wrong. */
const unreadable = ({ type, revision }: RecordedEvent): TaskQuarantined => ({
  code: 'unreadable_event',
  message: `event ${type} at revision ${revision} was written by a newer version of Almanac`,
})

function created(data: TaskCreated, event: RecordedEvent) {
  const at = event.metadata.at
  return {
    taskId: data.taskId,
    namespace: event.metadata.namespace,
    spec: data.spec,
    status: 'active',
    createdAt: at,
    armedAt: at,
    runsLeft: fullRunsLeft(data.spec),
    anchor: data.spec.startTime ?? data.imported?.anchor ?? at,
    quarantine: null,
    disabledCause: data.spec.enabled ? null : 'requested',
    disabledReason: data.spec.enabled ? null : (event.metadata.reason ?? null),
    pausedUntil: null,
    cancelled: [],
    moved: [],
    imported: data.imported ?? null,
    historyResetAt: null,
  } as const
}

/**
 * A stream that was closed before its task existed: a state with nothing in it, that no rule takes for a
 * task.
 */
function abandoned(event: RecordedEvent) {
  const spec = { ...blankSpec, enabled: false }
  const taskId = event.stream.slice('task-00-'.length)
  return { ...created({ taskId, spec }, event), status: 'abandoned' } as const
}

function changed(state: TaskState, data: TaskChanged, at: Instant): Partial<TaskState> {
  const spec = { ...state.spec, ...data.changes }
  const { imported, createdAt } = state
  return {
    spec,
    // An edit may have mended what was wrong; if not, the scheduler says so again. What was due meanwhile is past.
    ...(state.quarantine === null ? {} : { quarantine: null, armedAt: notBeforePause(state, at) }),
    // Of another schedule nothing has been cancelled or moved.
    ...('schedule' in data.changes ? { cancelled: [], moved: [] } : {}),
    ...('startTime' in data.changes ? { anchor: spec.startTime ?? imported?.anchor ?? createdAt } : {}),
    ...(data.rearmed ? { armedAt: notBeforePause(state, at), runsLeft: data.runsLeft } : {}),
  }
}

/** An instant counts that is at the end of the pause, none before it. */
const lastPaused = (until: Instant): Instant => until - 1

const notBeforePause = ({ pausedUntil }: TaskState, at: Instant): Instant =>
  pausedUntil === null ? at : Math.max(at, lastPaused(pausedUntil))

const paused = ({ until, runsLeft }: TaskPaused, reason: string | undefined): Partial<TaskState> => ({
  armedAt: lastPaused(until),
  runsLeft,
  pausedUntil: until,
  disabledReason: reason ?? null,
})

function enabled(state: TaskState, data: TaskEnabled, at: Instant): Partial<TaskState> {
  return {
    spec: { ...state.spec, enabled: true },
    armedAt: at,
    runsLeft: data.runsLeft,
    quarantine: null,
    disabledCause: null,
    disabledReason: null,
    pausedUntil: null,
  }
}

/** What was due while it was deleted is past. */
const restored = (state: TaskState, { runsLeft }: TaskRestored, at: Instant) =>
  ({ status: 'active', armedAt: notBeforePause(state, at), runsLeft, quarantine: null }) as const

/** `input` and `changes` are whatever the caller sent: they are checked here. */
export type TaskCommand =
  | {
      readonly type: 'create'
      readonly taskId: string
      readonly input: unknown
      readonly imported?: ImportedHistory
    }
  /** Every field anew: what the input leaves out gets its default. */
  | { readonly type: 'replace'; readonly input: unknown }
  /** Only the fields that the input has. */
  | { readonly type: 'change'; readonly changes: unknown }
  /** `runsLeft`: of oneOff or maxRuns; left out: all of them anew. */
  | { readonly type: 'enable'; readonly runsLeft?: number | null }
  /**
   * `armedAt`: what the scheduler saw when it found the task at its end; armed anew since, it isn't at its
   * end.
   */
  | { readonly type: 'disable'; readonly cause: TaskDisabled['cause']; readonly armedAt?: Instant }
  /** Nothing runs that comes due before `until`; then it goes on by itself. */
  | { readonly type: 'pause'; readonly until: unknown }
  /** One coming occurrence does not run; `isBack`: it does after all. */
  | { readonly type: 'cancelOccurrence'; readonly at: unknown; readonly isBack: boolean }
  /** One coming occurrence is at another time. */
  | { readonly type: 'moveOccurrence'; readonly at: unknown; readonly to: unknown }
  | { readonly type: 'trigger'; readonly override: unknown }
  | { readonly type: 'backfill'; readonly range: unknown }
  | { readonly type: 'resetHistory' }
  | ({ readonly type: 'quarantine' } & TaskQuarantined)
  | ({ readonly type: 'delete' } & TaskDeleted)
  /** Takes a deletion back. */
  | ({ readonly type: 'restore' } & TaskRestored)
  | { readonly type: 'abandon' }

/** Whether a backfill of the range would run anything. A task that can't be planned has no occurrences. */
function hasOccurrenceIn(
  state: TaskState,
  range: TaskBackfillRequested,
  { lookups }: DecisionContext,
): boolean {
  const definition = definitionOf(state, lookups)
  const first = definition.ok ? definition.value.recurrence.next(range.from - 1) : undefined
  return first !== undefined && first <= range.until
}

/**
 * What a command does to a task: the events that it makes, none when there is nothing to change, or the
 * refusal with its reasons. Pure: time and everything referred to by name come in with `context`. Never
 * throws on JSON input.
 */
export function decideTask(
  state: TaskState | undefined,
  command: TaskCommand,
  context: DecisionContext,
): Decision<TaskEvent> {
  if (command.type === 'create' || command.type === 'abandon') {
    if (state !== undefined) return refuse('already_exists', 'there is a task of this id')
    return command.type === 'create' ? create(command, context) : accept({ type: 'TaskAbandoned', data: {} })
  }
  if (command.type === 'restore' && state?.status === 'deleted') return restore(state, command, context)
  if (state === undefined || state.status !== 'active') return refuse('not_found', 'there is no such task')
  switch (command.type) {
    case 'replace': {
      const spec = validateTaskSpec(command.input)
      return spec.ok ? edit(state, spec.value, context) : invalid(spec.error)
    }
    case 'change': {
      const spec = validateTaskSpec(command.changes, state.spec)
      return spec.ok ? edit(state, spec.value, context) : invalid(spec.error)
    }
    case 'enable':
      if (state.spec.enabled && state.quarantine === null && !isPaused(state, context.at)) return accept()
      return accept(enabling(state.spec, command.runsLeft))
    case 'disable':
      return disable(state, command, context)
    case 'pause':
      return pause(state, command.until, context)
    case 'cancelOccurrence':
      return cancelOccurrence(state, command, context)
    case 'moveOccurrence':
      return moveOccurrence(state, command, context)
    case 'trigger': {
      const override = checkTrigger(command.override, state.spec)
      return override.ok ? accept({ type: 'TaskTriggered', data: override.value }) : invalid(override.error)
    }
    case 'backfill': {
      const range = checkRange(command.range, context.at)
      if (!range.ok) return invalid(range.error)
      if (!hasOccurrenceIn(state, range.value, context)) {
        return refuse('nothing_to_do', 'the schedule has no occurrence in this range')
      }
      return accept({ type: 'TaskBackfillRequested', data: range.value })
    }
    case 'resetHistory':
      return accept({ type: 'TaskHistoryReset', data: {} })
    case 'quarantine': {
      const { code, message } = command
      if (sameJson(state.quarantine, { code, message })) return accept()
      return accept({ type: 'TaskQuarantined', data: { code, message } })
    }
    case 'delete':
      return accept({ type: 'TaskDeleted', data: { cause: command.cause } })
    case 'restore':
      return accept()
  }
}

function create(
  command: Extract<TaskCommand, { type: 'create' }>,
  context: DecisionContext,
): Decision<TaskEvent> {
  const spec = validateTaskSpec(command.input)
  if (!spec.ok) return invalid(spec.error)
  const refusal = checkSchedule(spec.value, context)
  if (refusal !== undefined) return { ok: false, error: refusal }
  const data = { taskId: command.taskId, spec: spec.value }
  if (command.imported === undefined) return accept({ type: 'TaskCreated', data })
  const imported = checkImported(command.imported)
  if (!imported.ok) return invalid(imported.error)
  return accept({ type: 'TaskCreated', data: { ...data, imported: imported.value } })
}

const enabling = (spec: TaskSpec, runsLeft = fullRunsLeft(spec)): TaskEvent => ({
  type: 'TaskEnabled',
  data: { runsLeft },
})

/** What it refers to may be gone by now; a schedule without an occurrence left ends it again. */
function restore(
  state: TaskState,
  { runsLeft }: TaskRestored,
  context: DecisionContext,
): Decision<TaskEvent> {
  const refusal = checkSchedule(state.spec, context)
  if (refusal?.code === 'schedule_unknown' || refusal?.code === 'calendar_unknown') {
    return { ok: false, error: refusal }
  }
  return accept({ type: 'TaskRestored', data: { runsLeft } })
}

/**
 * An edit tells the fields that it changed and no others, so that an edit which leaves the schedule alone
 * leaves the rhythm alone. `enabled` has events of its own.
 */
function edit(state: TaskState, next: TaskSpec, context: DecisionContext): Decision<TaskEvent> {
  const { enabled: nowEnabled, ...changes } = changedFields(state.spec, next)
  const events: TaskEvent[] = []
  if (Object.keys(changes).length > 0) {
    const rearmed = rhythmFields.some((field) => field in changes)
    const refusal = rearmed ? checkSchedule(next, context) : undefined
    if (refusal !== undefined) return { ok: false, error: refusal }
    const runsLeft = rearmed ? runsLeftAfterEdit(state, next, context.lookups, context.at) : state.runsLeft
    events.push({ type: 'TaskChanged', data: { changes, rearmed, runsLeft } })
  }
  if (nowEnabled === true) events.push(enabling(next))
  if (nowEnabled === false) events.push({ type: 'TaskDisabled', data: { cause: 'requested' } })
  return accept(...events)
}

function changedFields(before: TaskSpec, after: TaskSpec): Partial<TaskSpec> {
  const changes = Object.entries(after).filter(
    ([key, value]) => !sameJson(before[key as keyof TaskSpec], value),
  )
  return Object.fromEntries(changes)
}

function pause(state: TaskState, input: unknown, context: DecisionContext): Decision<TaskEvent> {
  const { lookups, at } = context
  const until = checkPause(input, at)
  if (!until.ok) return invalid(until.error)
  if (!state.spec.enabled)
    return refuse('nothing_to_do', 'the task is disabled: it does not run before or after')
  if (state.pausedUntil === until.value) return accept()
  const runsLeft = runsLeftAt(state, lookups, at)
  return accept({ type: 'TaskPaused', data: { until: until.value, runsLeft } })
}

/** The scheduler's word that a task has ended holds only for the definition that it decided with. */
function disable(
  state: TaskState,
  command: Extract<TaskCommand, { type: 'disable' }>,
  context: DecisionContext,
): Decision<TaskEvent> {
  const { cause, armedAt } = command
  if (!state.spec.enabled || (armedAt !== undefined && armedAt !== state.armedAt)) return accept()
  if (cause === 'completed' && !isDone(state, context.lookups, context.at)) return accept()
  if (cause === 'expired' && !(state.spec.expires !== null && state.spec.expires <= context.at))
    return accept()
  return accept({ type: 'TaskDisabled', data: { cause } })
}

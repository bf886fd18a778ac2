import {
  type CalendarSpec,
  type Definition,
  definitionOf,
  fullRunsLeft,
  type Lookups,
  queueOf,
  type ScheduleSpec,
  scheduleIdOf,
  type TaskSpec,
  type TaskState,
  taskIdOfKey,
  validateCalendarSpec,
  validateScheduleSpec,
  validateTaskSpec,
} from '@almanac/domain'
import {
  type CompileContext,
  compile,
  describe,
  type Fields,
  fieldsOf,
  formatInstant,
  type Instant,
  type Problem,
  parseInstant,
  type Recurrence,
  type Result,
  rememberLast,
  type ScheduleValue,
} from '@almanac/recurrence'

/** Tasks, shared schedules and shared calendars, as the HTTP API takes or lists them; not checked yet. */
export interface RawCatalog {
  readonly tasks: readonly unknown[]
  readonly schedules: readonly unknown[]
  readonly calendars: readonly unknown[]
}

/** A task that the forecast plays. */
export interface ForecastTask {
  readonly name: string
  readonly queue: string
  readonly labels: { readonly [key: string]: string }
  readonly scheduleText: string
  readonly definition: Definition
}

/** A task that does nothing in the forecast, and why. */
export interface LeftOut {
  readonly name: string
  readonly reason: string
}

export interface Catalog {
  readonly tasks: readonly ForecastTask[]
  readonly leftOut: readonly LeftOut[]
}

/** What a listed task has beside what can be posted. */
const shownOnly = new Set(
  ['id', 'namespace', 'revision', 'scheduleText', 'nextRunAt', 'lastRunAt', 'totalRunCount', 'dateChanged']
    .concat([
      'createdAt',
      'changedBy',
      'runsLeft',
      'disabledCause',
      'disabledReason',
      'pausedUntil',
      'quarantine',
      'imported',
    ])
    .concat(['reason']),
)
const postedOfShared = new Set(['name', 'schedule', 'days', 'description'])

/**
 * Checks the tasks by the rules of the server and makes them ready to be planned from `from` on, as if all of them
 * had been armed just before: one-off tasks and `maxRuns` count from there. Intervals keep their rhythm, from the
 * start time, the import or the creation, where the task tells one; else they begin at `from`.
 *
 * Fails with every problem, `tasks[3].schedule...`; so does a reference to a shared schedule that is not there.
 */
export function readCatalog(raw: RawCatalog, from: Instant): Result<Catalog> {
  const problems: Problem[] = []
  const lookups = lookupsOf(raw, from, problems)
  const compiled = sharedCompile()
  const tasks: ForecastTask[] = []
  const leftOut: LeftOut[] = []
  const places = new Map<string, number>()
  for (const [index, item] of raw.tasks.entries()) {
    const path = `tasks[${index}]`
    const read = readTask(item, path, from, problems)
    if (read === undefined) continue
    const { name } = read.state.spec
    const earlier = places.get(name)
    if (earlier !== undefined) {
      problems.push({ path, code: 'repeated_name', message: `has the name "${name}" of tasks[${earlier}]` })
      continue
    }
    places.set(name, index)
    if (read.reason !== undefined) {
      leftOut.push({ name, reason: read.reason })
      continue
    }
    const definition = definitionOf(read.state, lookups, compiled)
    if (definition.ok) tasks.push(taskOf(read.state, definition.value, lookups))
    else for (const problem of definition.error) problems.push(within(`${path} "${name}"`, problem))
  }
  return problems.length > 0 ? { ok: false, error: problems } : { ok: true, value: { tasks, leftOut } }
}

const taskOf = ({ spec }: TaskState, definition: Definition, lookups: Lookups): ForecastTask => {
  const { schedule } = spec
  const value = 'ref' in schedule ? lookups.schedule(schedule.ref)?.spec.schedule : schedule
  return {
    name: spec.name,
    queue: queueOf(spec),
    labels: spec.labels,
    scheduleText: value === undefined ? '' : describe(value),
    definition,
  }
}

const within = (place: string, { path, ...rest }: Problem): Problem => ({
  ...rest,
  path: path === '' ? place : `${place} ${path}`,
})

interface ReadTask {
  readonly state: TaskState
  /** Why it is left out; undefined: it is played. */
  readonly reason: string | undefined
}

function readTask(item: unknown, path: string, from: Instant, problems: Problem[]): ReadTask | undefined {
  const fields = fieldsOf(item)
  if (fields === undefined) {
    problems.push({ path, code: 'not_an_object', message: 'must be an object with name, task and schedule' })
    return undefined
  }
  const given = fields.get('name')
  const place = typeof given === 'string' ? `${path} "${given}"` : path
  const found: Problem[] = []
  const instant = (key: string, value: unknown) => {
    if (value === undefined || value === null) return value
    const read = parseInstant(value, key)
    if (!read.ok) found.push(...read.error)
    return read.ok ? read.value : undefined
  }
  const posted = [...fields].filter(([key]) => !shownOnly.has(key))
  const input = Object.fromEntries(
    posted.map(([key, value]) => [
      key,
      key === 'expires' || key === 'startTime' ? instant(key, value) : value,
    ]),
  )
  const spec = validateTaskSpec(input)
  const imported = fieldsOf(fields.get('imported'))
  const anchor =
    instant('imported.anchor', imported?.get('anchor')) ?? instant('createdAt', fields.get('createdAt'))
  const problemsHere = spec.ok ? found : [...found, ...spec.error]
  problems.push(...problemsHere.map((problem) => within(place, problem)))
  if (!spec.ok || problemsHere.length > 0) return undefined
  return {
    state: stateOf(spec.value, fields, anchor ?? from, from),
    reason: reasonOf(spec.value, fields, from),
  }
}

function reasonOf(spec: TaskSpec, fields: Fields, from: Instant): string | undefined {
  const quarantine = fieldsOf(fields.get('quarantine'))
  if (quarantine !== undefined)
    return `quarantined: ${String(quarantine.get('message') ?? 'no reason given')}`
  if (!spec.enabled) return 'disabled'
  // Of a listed task: it runs once, and will have done so by then.
  const next = spec.oneOff ? parseInstant(fields.get('nextRunAt')) : undefined
  return next?.ok === true && next.value < from
    ? `its only run, at ${formatInstant(next.value)}, comes before the time that is played`
    : undefined
}

function stateOf(spec: TaskSpec, fields: Fields, anchor: Instant, from: Instant): TaskState {
  const id = fields.get('id')
  const left = fields.get('runsLeft')
  const namespace = fields.get('namespace')
  const blank = {
    namespace: typeof namespace === 'string' ? namespace : 'default',
    status: 'active',
  } as const
  return {
    ...blank,
    taskId: typeof id === 'string' && id !== '' ? id : taskIdOfKey(blank.namespace, spec.name, 0),
    spec,
    revision: 0,
    createdAt: from - 1,
    changedAt: from - 1,
    changedBy: '',
    armedAt: from - 1,
    runsLeft: typeof left === 'number' ? left : fullRunsLeft(spec),
    anchor: spec.startTime ?? anchor,
    quarantine: null,
    disabledCause: null,
    disabledReason: null,
    pausedUntil: null,
    cancelled: [],
    moved: [],
    imported: null,
    historyResetAt: null,
    hash: '',
  }
}

function lookupsOf(raw: RawCatalog, from: Instant, problems: Problem[]): Lookups {
  const schedules = readShared(raw.schedules, 'schedules', validateScheduleSpec, problems)
  const calendars = readShared(raw.calendars, 'calendars', validateCalendarSpec, problems)
  return {
    schedule: (name) => {
      const spec: ScheduleSpec | undefined = schedules.get(name)
      return spec && { ...sharedState(name, from), spec, scheduleChangedAt: from - 1 }
    },
    calendar: (name) => {
      const spec: CalendarSpec | undefined = calendars.get(name)
      return spec?.days
    },
  }
}

const sharedState = (name: string, from: Instant) => ({
  scheduleId: scheduleIdOf('default', name),
  namespace: 'default',
  status: 'active' as const,
  revision: 0,
  createdAt: from - 1,
  changedAt: from - 1,
  changedBy: '',
  hash: '',
})

function readShared<T extends { readonly name: string }>(
  items: readonly unknown[],
  list: string,
  validate: (input: unknown) => Result<T>,
  problems: Problem[],
): ReadonlyMap<string, T> {
  const found = new Map<string, T>()
  for (const [index, item] of items.entries()) {
    const posted = [...(fieldsOf(item) ?? [])].filter(([key]) => postedOfShared.has(key))
    const spec = validate(Object.fromEntries(posted))
    if (spec.ok) found.set(spec.value.name, spec.value)
    else problems.push(...spec.error.map((problem) => within(`${list}[${index}]`, problem)))
  }
  return found
}

/**
 * Compiles each value once for all tasks that have it, and remembers its last answer: a thousand tasks on one crontab
 * compute its next instant once. An interval's grid hangs on each task's own anchor.
 */
function sharedCompile(): typeof compile {
  const known = new Map<string, Recurrence>()
  return (value: ScheduleValue, context: CompileContext) => {
    const key = JSON.stringify(value)
    const shared = known.get(key)
    if (shared !== undefined) return { ok: true, value: shared }
    const compiled = compile(value, context)
    if (!compiled.ok) return compiled
    const remembering = rememberLast(compiled.value)
    if (!key.includes('"interval"')) known.set(key, remembering)
    return { ok: true, value: remembering }
  }
}

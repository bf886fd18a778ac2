import {
  fieldsOf,
  type Problem,
  type Result,
  scheduleKinds,
  show,
  validateSchedule,
} from '@almanac/recurrence'
import { FieldReader } from '../field-reader.js'
import { readText } from '../text.js'
import { readHeaders, readLabels, readPayload } from './payload.js'
import type { CatchUp, TaskSchedule, TaskSpec } from './types.js'

const taskFields = [
  'name',
  'task',
  'schedule',
  'args',
  'kwargs',
  'headers',
  'queue',
  'exchange',
  'routingKey',
  'priority',
  'expires',
  'expireSeconds',
  'oneOff',
  'maxRuns',
  'startTime',
  'enabled',
  'description',
  'labels',
  'catchUp',
  'overlap',
  'jitterSeconds',
  'maxAttempts',
] as const satisfies readonly (keyof TaskSpec)[]

/** The longest life of a run command: what the original's column holds. Seconds. */
const maxExpireSeconds = 2_147_483_647
/** A hundred years. Seconds. */
const maxWindowSeconds = 3_155_760_000

export const catchUpDefault: CatchUp = { policy: 'latest', windowSeconds: null, max: 100 }

const defaults: Omit<TaskSpec, 'name' | 'task' | 'schedule'> = {
  args: [],
  kwargs: {},
  headers: {},
  queue: null,
  exchange: null,
  routingKey: null,
  priority: null,
  expires: null,
  expireSeconds: null,
  oneOff: false,
  maxRuns: null,
  startTime: null,
  enabled: true,
  description: '',
  labels: {},
  catchUp: catchUpDefault,
  overlap: 'allow',
  jitterSeconds: 0,
  maxAttempts: 1,
}

/** A task that says nothing: stands where there is none, and where a required field is missing. */
export const blankSpec: TaskSpec = { ...defaults, name: '', task: '', schedule: { ref: '' } }

export const nameRule = { max: 200, filled: true } as const
export const descriptionRule = { max: 2000, filled: false, lines: true } as const

/**
 * Checks what a user says about a task, field by field and then the fields against each other, and fills in
 * the rest: from `current` when given (a change), else from the defaults (then name, task and schedule are
 * required). Fields of `catchUp` that are left out are filled in the same way; all other fields are taken
 * whole. What is referred to by name is not looked up here, and whether the schedule ever fires is asked by
 * the decider.
 *
 * Fails with every problem found, at most 50. Never throws.
 */
export function validateTaskSpec(input: unknown, current?: TaskSpec): Result<TaskSpec> {
  const base = current ?? blankSpec
  const read = FieldReader.of(input, taskFields, '')
  const required = (key: 'name' | 'task' | 'schedule') => current !== undefined || read.require(key)
  const name = required('name') ? read.text('name', nameRule, base.name) : base.name
  const task = required('task') ? read.text('task', nameRule, base.task) : base.task
  const schedule = required('schedule') ? readSchedule(read, base.schedule) : base.schedule
  const spec: TaskSpec = {
    name,
    task,
    schedule,
    ...readPayload(read, base),
    headers: readHeaders(read, base.headers),
    queue: readRoute(read, 'queue', base.queue),
    exchange: readRoute(read, 'exchange', base.exchange),
    routingKey: readRoute(read, 'routingKey', base.routingKey),
    priority: read.wholeOrNull('priority', 0, 255, base.priority),
    expires: read.instantOrNull('expires', base.expires),
    expireSeconds: read.wholeOrNull('expireSeconds', 0, maxExpireSeconds, base.expireSeconds),
    oneOff: read.boolean('oneOff', base.oneOff),
    maxRuns: read.wholeOrNull('maxRuns', 1, 10_000, base.maxRuns),
    startTime: read.instantOrNull('startTime', base.startTime),
    enabled: read.boolean('enabled', base.enabled),
    description: read.text('description', descriptionRule, base.description),
    labels: readLabels(read, base.labels),
    catchUp: readCatchUp(read, base.catchUp),
    overlap: read.choice('overlap', ['allow', 'skip', 'queueOne', 'cancelRunning'], base.overlap),
    jitterSeconds: readJitter(read, base.jitterSeconds),
    maxAttempts: read.whole('maxAttempts', 1, 100, base.maxAttempts),
  }
  if (read.problems.length === 0) relate(read, spec)
  return read.result(spec)
}

/** The rules between fields. */
function relate(read: FieldReader, spec: TaskSpec): void {
  if (spec.expires !== null && spec.expireSeconds !== null) {
    const message = 'only one of expires and expireSeconds may be given'
    read.refuse('expires', 'both_expiries', message)
    read.refuse('expireSeconds', 'both_expiries', message)
  }
  if (spec.expires !== null && spec.startTime !== null && spec.expires <= spec.startTime) {
    read.refuse('expires', 'expires_before_start', 'must be later than startTime')
  }
  if (spec.oneOff && spec.maxRuns !== null) {
    read.refuse('maxRuns', 'one_off_has_one_run', 'must not be given for a one-off task, which runs once')
  }
  if ('clocked' in spec.schedule && !spec.oneOff) read.problems.push(clockedNeedsOneOff)
}

export const clockedNeedsOneOff: Problem = {
  path: 'oneOff',
  code: 'clocked_needs_one_off',
  message: 'must be true for a clocked schedule, which has one instant only',
}

function readSchedule(read: FieldReader, current: TaskSchedule): TaskSchedule {
  const value = read.fields.get('schedule')
  if (value === undefined) return current
  const fields = fieldsOf(value)
  const found: Result<TaskSchedule> =
    fields?.has('ref') === true
      ? readReference(value, read.at('schedule'))
      : validateSchedule(value, read.at('schedule'))
  if (found.ok) return found.value
  read.problems.push(...found.error)
  return current
}

function readReference(value: unknown, path: string): Result<TaskSchedule> {
  const kinds = scheduleKinds.filter((kind) => fieldsOf(value)?.has(kind) === true)
  const read = FieldReader.of(value, ['ref', ...scheduleKinds], path)
  for (const kind of kinds.length > 0 ? ['ref', ...kinds] : []) {
    read.refuse(kind, 'several_kinds', 'only one kind of schedule may be given')
  }
  return read.result({ ref: read.text('ref', nameRule, '') })
}

const routeRule = { max: 200, filled: false } as const

/** Names that may become part of a topic's, a queue's or an exchange's name in any broker. */
const routeName = /^[A-Za-z0-9._\-:/]+$/

/** A topic's name has at most 249 characters; this leaves 63 for a cluster's prefix, and 10 for `.exchange.`. */
const maxInTopic = 176

/** `:` and `/` have to be written otherwise in the name of a topic, and take three characters each. */
const lengthInTopic = (name: string): number => name.replaceAll(/[:/]/g, '...').length

/** A queue, exchange or routing key; blank counts as none. */
function readRoute(
  read: FieldReader,
  key: 'queue' | 'exchange' | 'routingKey',
  current: string | null,
): string | null {
  const value = read.fields.get(key)
  if (value === undefined) return current
  if (value === null) return null
  const text = readText(value, read.at(key), routeRule, read.problems)
  if (text === undefined || text.trim() === '') return null
  if (!routeName.test(text)) {
    read.refuse(key, 'bad_route', 'must have letters a to z, digits and . _ - : / only')
  } else if (text === '.' || text.includes('..')) {
    read.refuse(key, 'bad_route', 'must not be . and must not have ..')
  } else if (key === 'queue' && text.startsWith('exchange:')) {
    read.refuse(key, 'bad_route', 'must not start with exchange: (name the exchange in its own field)')
  } else if (key !== 'routingKey' && lengthInTopic(text) > maxInTopic) {
    const rule = `must have at most ${maxInTopic} characters for a topic named after it; : and / count as three`
    read.refuse(key, 'too_long', rule)
  }
  return text
}

function readCatchUp(read: FieldReader, current: CatchUp): CatchUp {
  const value = read.fields.get('catchUp')
  if (value === undefined) return current
  const inner = FieldReader.of(
    value,
    ['policy', 'windowSeconds', 'max'] satisfies (keyof CatchUp)[],
    read.at('catchUp'),
    read.problems,
  )
  return {
    policy: inner.choice('policy', ['latest', 'all', 'none'], current.policy),
    windowSeconds: inner.wholeOrNull('windowSeconds', 1, maxWindowSeconds, current.windowSeconds),
    max: inner.whole('max', 1, 1000, current.max),
  }
}

/** Seconds, to the millisecond. */
function readJitter(read: FieldReader, current: number): number {
  const value = read.fields.get('jitterSeconds')
  if (value === undefined) return current
  if (typeof value !== 'number' || !(value >= 0 && value <= 86_400)) {
    read.refuse('jitterSeconds', 'out_of_range', `must be a number from 0 to 86400, not ${show(value)}`)
    return current
  }
  const ms = Math.round(value * 1000)
  if (Math.abs(value * 1000 - ms) > 1e-6) {
    read.refuse('jitterSeconds', 'too_fine', 'must be whole milliseconds: at most three decimals')
  }
  return ms / 1000
}

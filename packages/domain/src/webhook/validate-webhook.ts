import { type Result, show } from '@almanac/recurrence'
import { FieldReader } from '../field-reader.js'
import { isEventPattern, isOfRuns, messageTypes } from './messages.js'
import type { RunTarget, WebhookSpec } from './types.js'

/** What depends on where the webhook is to be served from. */
export interface WebhookLimits {
  /** What is wrong with an address, as far as that can be said without asking anybody; undefined: nothing. */
  readonly problemOf: (url: string) => string | undefined
  /** False where runs are in the topics of a cluster: then they are no business of webhooks. */
  readonly hasRuns: boolean
}

const fields = [
  'name',
  'url',
  'description',
  'enabled',
  'events',
  'tasks',
  'labels',
  'runs',
] as const satisfies (keyof WebhookSpec)[]

const maxUrlLength = 2_000
const maxTasks = 100
const maxLabels = 10
const defaultLeaseSeconds = 300
/** Longer than the receiver has for its answer. */
const shortestLeaseSeconds = 30
const longestLeaseSeconds = 86_400

const blank: WebhookSpec = {
  name: '',
  url: '',
  description: '',
  enabled: true,
  events: [],
  tasks: [],
  labels: {},
  runs: null,
}

/** `current`: what is changed; undefined: it is a new one. */
export function validateWebhook(
  input: unknown,
  current: WebhookSpec | undefined,
  limits: WebhookLimits,
): Result<WebhookSpec> {
  const read = FieldReader.of(input, fields, '')
  if (current === undefined) for (const field of ['name', 'url']) read.require(field)
  const before = current ?? blank
  const spec = {
    name: read.text('name', { max: 100, filled: true }, before.name),
    url: readUrl(read, before.url, limits),
    description: read.text('description', { max: 1_000, filled: false, lines: true }, before.description),
    enabled: read.boolean('enabled', before.enabled),
    events: readEvents(read, before.events),
    tasks: readTasks(read, before.tasks),
    labels: readLabels(read, before.labels),
    runs: readRuns(read, before.runs),
  }
  if (read.problems.length === 0) refuseEmpty(read, spec, limits)
  return read.result(spec)
}

function refuseEmpty(read: FieldReader, { events, runs }: WebhookSpec, { hasRuns }: WebhookLimits): void {
  if (events.length === 0 && runs === null) {
    read.refuse('events', 'required', 'must name a type of message, unless runs names a queue')
  }
  if (hasRuns) return
  const message = 'can not be had in a cluster: runs and what becomes of them are in topics of Kafka'
  if (runs !== null) read.refuse('runs', 'runs_in_topics', message)
  const index = events.findIndex(isOfRuns)
  if (index >= 0) read.refuse(`events[${index}]`, 'runs_in_topics', message)
}

function readUrl(read: FieldReader, before: string, { problemOf }: WebhookLimits): string {
  const known = read.problems.length
  const url = read.text('url', { max: maxUrlLength, filled: true }, before)
  // A rule of the configuration may be newer than the address: what isn't changed stays.
  if (!read.fields.has('url') || url === before || read.problems.length > known) return url
  const problem = problemOf(url)
  if (problem !== undefined) read.refuse('url', 'url_refused', problem)
  return url
}

function readEvents(read: FieldReader, before: readonly string[]): readonly string[] {
  const value = listOf(read, 'events', before)
  for (const [index, pattern] of value.entries()) {
    if (typeof pattern === 'string' && isEventPattern(pattern)) continue
    const message = `must be one of ${messageTypes.join(', ')}, or all of a subject (task.*), not ${show(pattern)}`
    read.refuse(`events[${index}]`, 'unknown_choice', message)
  }
  return [...new Set(value as readonly string[])]
}

function readTasks(read: FieldReader, before: readonly string[]): readonly string[] {
  const value = listOf(read, 'tasks', before)
  if (value.length > maxTasks) read.refuse('tasks', 'too_many', `must name at most ${maxTasks} tasks`)
  for (const [index, id] of value.entries()) {
    if (typeof id === 'string' && /^[^/\s]{1,100}$/.test(id)) continue
    read.refuse(`tasks[${index}]`, 'bad_id', `must be the id of a task, not ${show(id)}`)
  }
  return [...new Set(value as readonly string[])]
}

function listOf(read: FieldReader, field: string, before: readonly string[]): readonly unknown[] {
  const value = read.fields.get(field)
  if (value === undefined) return before
  if (Array.isArray(value)) return value
  read.refuse(field, 'not_a_list', `must be a list, not ${show(value)}`)
  return before
}

function readLabels(read: FieldReader, before: WebhookSpec['labels']): WebhookSpec['labels'] {
  const value = read.fields.get('labels')
  if (value === undefined) return before
  const labels = FieldReader.of(value, keysOf(value), read.at('labels'), read.problems)
  if (labels.fields.size > maxLabels) {
    read.refuse('labels', 'too_many', `must have at most ${maxLabels} labels`)
    return before
  }
  const rule = { max: 256, filled: false }
  return Object.fromEntries([...labels.fields.keys()].map((key) => [key, labels.text(key, rule, '')]))
}

const keysOf = (value: unknown): readonly string[] =>
  typeof value === 'object' && value !== null ? Object.keys(value) : []

function readRuns(read: FieldReader, before: RunTarget | null): RunTarget | null {
  const value = read.fields.get('runs')
  if (value === undefined) return before
  if (value === null) return null
  const runs = FieldReader.of(value, ['queue', 'leaseSeconds'], read.at('runs'), read.problems)
  if (before === null && !runs.fields.has('queue')) runs.require('queue')
  return {
    queue: runs.text('queue', { max: 200, filled: true }, before?.queue ?? ''),
    leaseSeconds: runs.whole(
      'leaseSeconds',
      shortestLeaseSeconds,
      longestLeaseSeconds,
      before?.leaseSeconds ?? defaultLeaseSeconds,
    ),
  }
}

import { HistoryError } from './seen.js'
import type { HistoryRecord } from './types.js'

type Kind = 'number' | 'whole' | 'text' | 'textOrNull' | 'truth' | 'list' | 'any' | Shape
interface Shape {
  readonly [field: string]: Kind
}

const checkpoint: Shape = {
  seq: 'whole',
  term: 'whole',
  cursor: { at: 'number', taskId: 'text' },
  position: 'whole',
  evaluatedAt: 'number',
  more: 'truth',
  engineVersion: 'text',
  tzVersion: 'text',
  runs: 'whole',
  skipped: 'whole',
  digest: 'text',
  previous: 'text',
}

/** What the rules read of each kind of record. More fields may be there. */
const shapes: { readonly [K in HistoryRecord['kind']]: Shape } = {
  meta: {
    version: 'whole',
    cluster: 'text',
    partitions: 'whole',
    misfireGraceMs: 'number',
    maxDecisionsPerTick: 'whole',
    earlyToleranceMs: 'number',
    lateToleranceMs: 'number',
    recoveryMs: 'number',
    source: 'text',
  },
  event: {
    event: {
      id: 'text',
      type: 'text',
      version: 'whole',
      data: 'any',
      metadata: { namespace: 'text', actor: 'text', at: 'number', previousHash: 'text' },
      stream: 'text',
      revision: 'whole',
      position: 'whole',
      hash: 'text',
    },
  },
  answer: {
    sentAt: 'number',
    answeredAt: 'number',
    idempotencyKey: 'textOrNull',
    position: 'whole',
    command: 'text',
    namespace: 'text',
    taskId: 'textOrNull',
    isFenced: 'truth',
  },
  run: {
    topic: 'text',
    partition: 'whole',
    offset: 'whole',
    appendedAt: 'number',
    run: {
      runId: 'text',
      namespace: 'text',
      taskId: 'text',
      task: 'text',
      queue: 'text',
      args: 'list',
      kwargs: {},
      scheduledAt: 'number',
      kind: 'text',
      taskRevision: 'whole',
      partition: 'whole',
      seq: 'whole',
    },
  },
  skip: {
    partition: 'whole',
    seq: 'whole',
    skip: {
      taskId: 'text',
      reason: 'text',
      first: 'number',
      last: 'number',
      count: 'whole',
      revision: 'whole',
    },
  },
  checkpoint: { partition: 'whole', offset: 'whole', appendedAt: 'number', checkpoint },
  owner: { partition: 'whole', offset: 'whole', appendedAt: 'number', nodeId: 'text', term: 'whole' },
  fault: { at: 'number', fault: 'text', detail: 'text' },
  healed: { at: 'number' },
  end: { at: 'number' },
}

/**
 * Reads records that are kept as JSON, one a line. Throws a `HistoryError` with the number of the line for what is no
 * record, is of an unknown kind or version, or lacks what a rule reads; and when there is no `meta` at the end.
 */
export function* readHistory(lines: Iterable<string>): Generator<HistoryRecord> {
  let number = 0
  let hasMeta = false
  for (const line of lines) {
    number += 1
    // The text's last newline makes an empty line.
    if (line.trim() === '') continue
    const record = recordIn(line, number)
    hasMeta ||= record.kind === 'meta'
    yield record
  }
  if (!hasMeta) throw new HistoryError(`there is no meta record in ${number} lines`)
}

/** The lines of a text, without making a list of them all. */
export function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start)
    yield text.slice(start, end < 0 ? text.length : end)
    start = end < 0 ? text.length : end + 1
  }
}

/** One line for each record, each with its newline. */
export function* writeHistory(records: Iterable<HistoryRecord>): Generator<string> {
  for (const record of records) yield `${JSON.stringify(record)}\n`
}

function recordIn(line: string, number: number): HistoryRecord {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new HistoryError(`line ${number} is not JSON`)
  }
  const kind: unknown = isObject(value) ? value.kind : undefined
  if (typeof kind !== 'string') throw new HistoryError(`line ${number} is no record: it has no kind`)
  if (!isKnown(kind)) throw new HistoryError(`line ${number} is of an unknown kind, ${JSON.stringify(kind)}`)
  const problem = problemIn(value, shapes[kind], '')
  if (problem !== undefined) throw new HistoryError(`line ${number} (${kind}): ${problem}`)
  const record = value as HistoryRecord
  if (record.kind === 'meta') checkMeta(record, number)
  return record
}

const isKnown = (kind: string): kind is HistoryRecord['kind'] => Object.hasOwn(shapes, kind)

const isObject = (value: unknown): value is { readonly [field: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function problemIn(value: unknown, shape: Shape, path: string): string | undefined {
  if (!isObject(value)) return `${path} is no object`
  for (const [field, kind] of Object.entries(shape)) {
    const part = value[field]
    const place = path === '' ? field : `${path}.${field}`
    if (typeof kind !== 'string') {
      const problem = problemIn(part, kind, place)
      if (problem !== undefined) return problem
    } else if (!tests[kind](part)) {
      return `${place} is ${part === undefined ? 'missing' : `no ${words[kind]}`}`
    }
  }
  return undefined
}

type Simple = Extract<Kind, string>
const tests: { readonly [K in Simple]: (value: unknown) => boolean } = {
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  whole: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  text: (value) => typeof value === 'string',
  textOrNull: (value) => value === null || typeof value === 'string',
  truth: (value) => typeof value === 'boolean',
  list: (value) => Array.isArray(value),
  any: (value) => value !== undefined,
}
const words: { readonly [K in Simple]: string } = {
  number: 'number',
  whole: 'whole number',
  text: 'text',
  textOrNull: 'text or null',
  truth: 'true or false',
  list: 'list',
  any: 'value',
}

const maxPartitions = 65_536

function checkMeta({ version, partitions }: Extract<HistoryRecord, { kind: 'meta' }>, line: number): void {
  if (version !== 1)
    throw new HistoryError(`line ${line}: version ${String(version)} is not known here, only 1`)
  if (partitions < 1 || partitions > maxPartitions) {
    throw new HistoryError(`line ${line}: partitions is ${partitions}, must be 1 to ${maxPartitions}`)
  }
}

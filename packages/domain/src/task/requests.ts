import type { Instant, Result } from '@almanac/recurrence'
import { FieldReader } from '../field-reader.js'
import { readPayload } from './payload.js'
import type { ImportedHistory, TaskBackfillRequested, TaskSpec, TaskTriggered } from './types.js'

/** The arguments that one triggered run has instead of the task's own. */
export function checkTrigger(input: unknown, spec: TaskSpec): Result<TaskTriggered> {
  const read = FieldReader.of(input, ['args', 'kwargs'], '')
  const { args, kwargs } = readPayload(read, spec)
  return read.result({
    ...(read.fields.has('args') ? { args } : {}),
    ...(read.fields.has('kwargs') ? { kwargs } : {}),
  })
}

const backfillOrders = ['oldestFirst', 'newestFirst'] as const

/** A range of the past, and how many of its occurrences are run at most: 1 to 1000. */
export function checkRange(input: unknown, now: Instant): Result<TaskBackfillRequested> {
  const read = FieldReader.of(input, ['from', 'until', 'max', 'order'], '')
  const given = ['from', 'until', 'max'].filter((key) => read.require(key)).length
  const range = {
    from: read.instant('from', 0),
    until: read.instant('until', 0),
    max: read.whole('max', 1, 1000, 1),
    ...(read.fields.has('order') ? { order: read.choice('order', backfillOrders, 'oldestFirst') } : {}),
  }
  if (given === 3 && read.problems.length === 0) {
    if (range.from > range.until) read.refuse('from', 'range_reversed', 'must not be later than until')
    if (range.until > now) read.refuse('until', 'in_the_future', 'must not be later than now')
  }
  return read.result(range)
}

/** An instant by itself. */
export function checkInstant(input: unknown, path: string): Result<Instant> {
  const read = FieldReader.of({ [path]: input }, [path], '')
  return read.result(read.instant(path, 0))
}

/** What stands in the way of saying something of a single occurrence. */
export const occurrenceProblems = {
  past: { path: 'at', code: 'in_the_past', message: 'must be later than now: what is past is decided' },
  none: {
    path: 'at',
    code: 'no_occurrence',
    message: 'must be an occurrence of the task, to the millisecond',
  },
} as const

const longestPauseMs = 10 * 366 * 86_400_000

/** The end of a pause: in the future, ten years ahead at most. */
export function checkPause(until: unknown, now: Instant): Result<Instant> {
  const read = FieldReader.of({ until }, ['until'], '')
  const end = read.instant('until', 0)
  if (read.problems.length === 0) {
    if (end <= now) read.refuse('until', 'in_the_past', 'must be later than now')
    if (end > now + longestPauseMs) read.refuse('until', 'too_far', 'must be at most ten years ahead')
  }
  return read.result(end)
}

/** Run data that an import brings along. */
export function checkImported(input: unknown): Result<ImportedHistory> {
  const read = FieldReader.of(input, ['lastRunAt', 'totalRunCount', 'anchor'], 'imported')
  for (const key of ['totalRunCount', 'anchor']) read.require(key)
  return read.result({
    lastRunAt: read.instantOrNull('lastRunAt', null),
    totalRunCount: read.whole('totalRunCount', 0, Number.MAX_SAFE_INTEGER, 0),
    anchor: read.instant('anchor', 0),
  })
}

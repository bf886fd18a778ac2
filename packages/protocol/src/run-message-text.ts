import type { RunCommand } from '@almanac/domain'
import { isoOf } from './instant-text.js'

/** What is the same in every run of a task, as it was when the text was made of it. */
interface Fixed {
  readonly run: RunCommand
  readonly text: string
}

/**
 * By the list of arguments, which every run of a task shares as long as its definition is kept in memory. What is kept
 * here goes when that goes.
 */
const known = new WeakMap<object, Fixed>()

const isSame = (a: RunCommand, b: RunCommand): boolean =>
  a.taskId === b.taskId &&
  a.kwargs === b.kwargs &&
  a.headers === b.headers &&
  a.taskName === b.taskName &&
  a.task === b.task &&
  a.namespace === b.namespace &&
  a.queue === b.queue &&
  a.routingKey === b.routingKey &&
  a.priority === b.priority

function fixedOf(run: RunCommand): string {
  const found = known.get(run.args)
  if (found !== undefined && isSame(found.run, run)) return found.text
  const { namespace, taskId, taskName, task, args, kwargs, headers, queue, routingKey, priority } = run
  const json = { namespace, taskId, taskName, task, args, kwargs, headers, queue, routingKey, priority }
  const text = JSON.stringify(json).slice(1, -1)
  known.set(run.args, { run, text })
  return text
}

/** `JSON.stringify(runMessageJson(run, term))`, letter by letter, without writing again what a task's runs share. */
export function runMessageText(run: RunCommand, term: number): string {
  const { runId, scheduledAt, emittedAt, expiresAt, kind, taskRevision, replayed, traceparent } = run
  const { exchange, overlap, maxAttempts, partition, seq } = run
  return (
    `{"runId":${JSON.stringify(runId)},${fixedOf(run)}` +
    `,"scheduledAt":"${isoOf(scheduledAt)}","emittedAt":"${isoOf(emittedAt)}"` +
    `,"expiresAt":${expiresAt === null ? 'null' : `"${isoOf(expiresAt)}"`}` +
    `,"kind":"${kind}","attempt":1,"taskRevision":${taskRevision}` +
    (replayed === true ? ',"replayed":true' : '') +
    (traceparent === undefined ? '' : `,"traceparent":${JSON.stringify(traceparent)}`) +
    `,"exchange":${exchange === null ? 'null' : JSON.stringify(exchange)}` +
    `,"overlap":"${overlap}","maxAttempts":${maxAttempts},"partition":${partition},"seq":${seq},"term":${term}}`
  )
}

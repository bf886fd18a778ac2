import {
  type CommandContext,
  partOf,
  type RecordedEvent,
  type Refusal,
  type Subject,
  subjectOf,
} from '@almanac/domain'
import type { Result } from '@almanac/recurrence'
import type { UndoneEvent, UndoOptions } from '../change-types.js'
import type { Handled } from './handle.js'
import type { StreamUndo } from './stream-undo.js'

/** How many streams are worked on at the same time, so that they share writes to the disk. */
const together = 64

type Undo = (context: CommandContext, event: RecordedEvent, options: UndoOptions) => Promise<UndoneEvent>

/**
 * Takes back all that one request did, event by event, each as if it were asked for alone: one that is refused does not
 * hold up the others. Of a stream the last event goes first. What tasks refer to is restored before them, and taken
 * away after them. An undo can be taken back by its own correlation id.
 */
export async function undoRequest(
  undo: StreamUndo,
  context: CommandContext,
  events: readonly RecordedEvent[],
  options: Pick<UndoOptions, 'force'>,
): Promise<readonly UndoneEvent[]> {
  const one = undoing(undo)
  const answers = new Map<string, UndoneEvent>()
  const inTurn = async (turn: readonly RecordedEvent[]) => {
    for (const event of turn) {
      const own = partOf(context, event.id, () => event.id)
      answers.set(event.id, await one(own, event, options))
    }
  }
  const newestFirst = [...events].sort((a, b) => b.position - a.position)
  const isShared = ({ stream }: RecordedEvent) => subjectOf(stream)?.kind !== 'task'
  await inTurn(newestFirst.filter((event) => isShared(event) && event.type.endsWith('Deleted')))
  const streams = [...byStream(newestFirst.filter((event) => !isShared(event))).values()]
  for (let at = 0; at < streams.length; at += together) {
    await Promise.all(streams.slice(at, at + together).map(inTurn))
  }
  await inTurn(newestFirst.filter((event) => isShared(event) && !event.type.endsWith('Deleted')))
  return events.flatMap(({ id }) => answers.get(id) ?? [])
}

function byStream(events: readonly RecordedEvent[]): ReadonlyMap<string, readonly RecordedEvent[]> {
  const streams = new Map<string, RecordedEvent[]>()
  for (const event of events) streams.set(event.stream, [...(streams.get(event.stream) ?? []), event])
  return streams
}

function undoing(undo: StreamUndo): Undo {
  return async (context, event, options) => {
    const subject = subjectOf(event.stream)
    if (subject === undefined) return { event, outcome: 'refused', refusal: notOfThese }
    const handled = await handledBy(undo, context, subject, event.revision, options)
    if (!handled.ok) return { event, outcome: 'refused', refusal: handled.error }
    return {
      event,
      outcome: handled.value.events.length > 0 ? 'undone' : 'unchanged',
      position: handled.value.position,
    }
  }
}

const notOfThese = {
  code: 'not_undoable',
  message: 'only changes of tasks, shared schedules and calendars can be taken back',
} as const

function handledBy(
  undo: StreamUndo,
  context: CommandContext,
  { kind, id }: Subject,
  revision: number,
  options: UndoOptions,
): Promise<Result<Handled<unknown>, Refusal>> {
  if (kind === 'task') return undo.undoTask(context, id, revision, options)
  return kind === 'schedule'
    ? undo.undoSchedule(context, id, revision, options)
    : undo.undoCalendar(context, id, revision, options)
}

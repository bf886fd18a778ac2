import { accept, type ClusterEvent, type CommandContext, clusterStream, type Position } from '@almanac/domain'
import type { Commands } from '../application.js'
import { applied, tokenOf } from './answers.js'
import { handleInTurn } from './handle.js'
import { ApiKeyCommands } from './key-commands.js'
import { type CommandDeps, type CommandParts, commandParts } from './parts.js'
import { SharedCommands } from './shared-commands.js'
import { StreamUndo } from './stream-undo.js'
import { type SystemCommands, SystemTaskCommands } from './system-commands.js'
import { TaskCommands } from './task-commands.js'
import { undoRequest } from './undo-request.js'

/**
 * All commands of a node over its ports. A command answers when its events are durable. Refusals are values;
 * faults of the ports are thrown (`PortFault`), and then the command may be repeated with its idempotency
 * key.
 */
export function createCommands(deps: CommandDeps): Commands & SystemCommands {
  const parts = commandParts(deps)
  const tasks = new TaskCommands(parts)
  const system = new SystemTaskCommands(parts, tasks)
  const shared = new SharedCommands(parts, (event) => system.reactToScheduleDeleted(event))
  const keys = new ApiKeyCommands(parts)
  const undo = new StreamUndo(parts, tasks, shared)
  return {
    createTask: (context, input, imported) => tasks.create(context, input, imported),
    putTask: (context, input, options) => tasks.put(context, input, options),
    changeTask: (context, taskId, changes, expected) =>
      tasks.run(context, taskId, { type: 'change', changes }, expected),
    enableTask: (context, taskId, expected) => tasks.run(context, taskId, { type: 'enable' }, expected),
    disableTask: (context, taskId, expected) =>
      tasks.run(context, taskId, { type: 'disable', cause: 'requested' }, expected),
    deleteTask: (context, taskId, expected) =>
      tasks.run(context, taskId, { type: 'delete', cause: 'requested' }, expected),
    triggerTask: (context, taskId, override) => tasks.trigger(context, taskId, override),
    cancelOccurrence: (context, taskId, at, isBack, expected) =>
      tasks.run(context, taskId, { type: 'cancelOccurrence', at, isBack }, expected),
    moveOccurrence: (context, taskId, at, to, expected) =>
      tasks.run(context, taskId, { type: 'moveOccurrence', at, to }, expected),
    pauseTask: (context, taskId, until, expected) =>
      tasks.run(context, taskId, { type: 'pause', until }, expected),
    backfillTask: (context, taskId, range) => tasks.run(context, taskId, { type: 'backfill', range }),
    resetHistory: (context, taskId) => tasks.run(context, taskId, { type: 'resetHistory' }),
    createSchedule: (context, input) => shared.createSchedule(context, input),
    changeSchedule: (context, scheduleId, changes, expected) =>
      shared.onSchedule(context, scheduleId, { type: 'change', changes }, expected),
    deleteSchedule: (context, scheduleId, cascade) => shared.deleteSchedule(context, scheduleId, cascade),
    createCalendar: (context, input) => shared.createCalendar(context, input),
    changeCalendar: (context, calendarId, changes, expected) =>
      shared.onCalendar(context, calendarId, { type: 'change', changes }, expected),
    deleteCalendar: (context, calendarId) => shared.deleteCalendar(context, calendarId),
    undoTask: async (...request) => applied(await undo.undoTask(...request), 'TaskCreated'),
    undoSchedule: async (...request) => applied(await undo.undoSchedule(...request), 'ScheduleCreated'),
    undoCalendar: async (...request) => applied(await undo.undoCalendar(...request), 'CalendarCreated'),
    undoRequest: (...request) => undoRequest(undo, ...request),
    previewUndo: (...request) => undo.preview(...request),
    createKey: (...request) => keys.createKey(...request),
    revokeKey: (context, keyId) => keys.revokeKey(context, keyId),
    useKey: (context, keyId) => keys.useKey(context, keyId),
    announceChange: (context, note) => announceChange(parts, context, note),
    completeTask: (...request) => system.completeTask(...request),
    quarantineTask: (...request) => system.quarantineTask(...request),
    reactToScheduleDeleted: (event) => system.reactToScheduleDeleted(event),
  }
}

async function announceChange(
  parts: CommandParts,
  context: CommandContext,
  note: string,
): Promise<{ readonly position: Position }> {
  const event: ClusterEvent = { type: 'ChangeAnnounced', data: { note } }
  const handled = await handleInTurn(parts, parts.announcements, {
    stream: clusterStream,
    context,
    token: tokenOf(context, parts.random),
    decide: () => accept(event),
  })
  if (!handled.ok) throw new Error(`an announcement was refused: ${handled.error.message}`)
  return { position: handled.value.position }
}

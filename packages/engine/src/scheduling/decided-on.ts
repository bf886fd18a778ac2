import { type Definition, type Floor, raised, type TaskState } from '@almanac/domain'
import type { Carried } from './floors.js'
import type { NodeParts } from './node-parts.js'
import { type Asked, isPlannable } from './undecided.js'

/** The states of all tasks that a tick may decide something of, read once for the whole tick. */
export function statesOf(
  { views }: Pick<NodeParts, 'views'>,
  due: readonly string[],
  { armed, requests, overdue }: Asked & Carried,
): ReadonlyMap<string, TaskState> {
  const ids = [...due, ...armed]
  for (const { taskId } of requests) ids.push(taskId)
  for (const { definition } of overdue) ids.push(definition.taskId)
  return views.tasks(ids)
}

/** Of those that can be planned, in the order given, above what the floors have settled. */
export function definitionsOf(
  { definitions }: Pick<NodeParts, 'definitions'>,
  taskIds: readonly string[],
  states: ReadonlyMap<string, TaskState>,
  floors: readonly Floor[],
): readonly Definition[] {
  const found: Definition[] = []
  for (const taskId of taskIds) {
    const state = states.get(taskId)
    if (state === undefined || !isPlannable(state)) continue
    const definition = definitions.of(state)
    if (definition.ok) found.push(raised(definition.value, floors))
  }
  return found
}

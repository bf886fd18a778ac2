import { scheduleIdOf } from '@almanac/domain'
import type { ScheduleJson, TaskJson } from '@almanac/protocol'
import { Failure, refused } from '../failure.js'
import type { Page } from './pages.js'
import type { Server } from './server.js'

const taskId = /^[0-9A-HJKMNP-TV-Z]{26}$/

/** The answer, or undefined when there is no such thing. */
const unlessMissing = async <T>(asked: Promise<{ readonly body: T }>): Promise<T | undefined> => {
  try {
    return (await asked).body
  } catch (fault) {
    if (fault instanceof Failure && fault.details.status === 404) return undefined
    throw fault
  }
}

const similar = async (server: Server, name: string): Promise<readonly string[]> => {
  const word = name
    .split(/\s+/)
    .reduce((longest, next) => (next.length > longest.length ? next : longest), '')
  if (word.length < 3) return []
  const { body } = await server.ask<Page<TaskJson>>('/tasks', { query: { q: word, limit: 5 } })
  return body.items.map((task) => task.name)
}

/** A task by its exact name, else by its id; refused with names that are similar. */
export const findTask = async (server: Server, nameOrId: string): Promise<TaskJson> => {
  const { body } = await server.ask<Page<TaskJson>>('/tasks', { query: { name: nameOrId, limit: 1 } })
  const [byName] = body.items
  if (byName) return byName
  if (taskId.test(nameOrId)) {
    const byId = await unlessMissing(server.ask<TaskJson>(`/tasks/${nameOrId}`))
    if (byId) return byId
  }
  const names = await similar(server, nameOrId)
  const hint = names.length > 0 ? `Similar: ${names.map((name) => `"${name}"`).join(', ')}` : undefined
  throw refused(`There is no task named "${nameOrId}" in the namespace ${server.address.namespace}.`, {
    code: 'not_found',
    ...(hint === undefined ? {} : { hint }),
  })
}

/** The id of a task that is there, or an id as it stands: history can be asked of deleted tasks too. */
export const taskIdOf = async (server: Server, nameOrId: string): Promise<string> => {
  try {
    return (await findTask(server, nameOrId)).id
  } catch (fault) {
    if (taskId.test(nameOrId) && fault instanceof Failure && fault.details.code === 'not_found')
      return nameOrId
    throw fault
  }
}

/** A shared schedule by its exact name, else by its id. */
export const findSchedule = async <T extends ScheduleJson>(server: Server, nameOrId: string): Promise<T> => {
  for (const id of [scheduleIdOf(server.address.namespace, nameOrId), nameOrId]) {
    const found = await unlessMissing(server.ask<T>(`/schedules/${encodeURIComponent(id)}`))
    if (found) return found
  }
  throw refused(`There is no schedule named "${nameOrId}" in the namespace ${server.address.namespace}.`, {
    code: 'not_found',
    hint: '`almanac schedules list` shows those that exist.',
  })
}

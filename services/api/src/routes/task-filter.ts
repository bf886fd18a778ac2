import type { TaskFilter, TaskOrder } from '@almanac/engine'
import type { TaskListQuery } from '@almanac/protocol'
import type { Static } from 'typebox'

type Filters = Omit<Static<typeof TaskListQuery>, 'limit' | 'cursor' | 'asOf' | 'minPosition' | 'sort'>

/** What tasks are chosen by, as the read models take it. */
export function filterOf(query: Filters): TaskFilter {
  const { enabled, name, task, queue, label, scheduleKind, schedule, quarantined, q } = query
  return {
    ...(enabled === undefined ? {} : { enabled }),
    ...(name === undefined ? {} : { name: name.normalize('NFC') }),
    ...(task === undefined ? {} : { task }),
    ...(queue === undefined ? {} : { queue }),
    ...(label === undefined ? {} : { labels: label }),
    ...(scheduleKind === undefined ? {} : { scheduleKind }),
    ...(schedule === undefined ? {} : { scheduleRef: schedule.normalize('NFC') }),
    ...(quarantined === undefined ? {} : { quarantined }),
    ...(q === undefined ? {} : { q }),
  }
}

/** `-dateChanged`: by the time of the last change, the newest first. */
export function orderOf(sort: string): TaskOrder {
  const field = sort.replace(/^-/, '')
  const by = field === 'dateChanged' ? 'changedAt' : (field as 'name' | 'createdAt')
  return { by, isDescending: sort.startsWith('-') }
}

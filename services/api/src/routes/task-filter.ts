import type { TaskFilter } from '@almanac/engine'
import type { TaskListQuery } from '@almanac/protocol'
import type { Static } from 'typebox'

type Filters = Omit<Static<typeof TaskListQuery>, 'limit' | 'cursor' | 'asOf' | 'minPosition'>

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

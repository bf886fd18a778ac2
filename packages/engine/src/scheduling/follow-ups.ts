import { scheduleIdOf, scheduleStream } from '@almanac/domain'
import type { Chores } from '../chores.js'
import type { SystemCommands } from '../commands/system-commands.js'
import type { Clock } from '../ports/clock.js'
import type { EventLog } from '../ports/event-log.js'
import type { FollowUps } from './node-parts.js'
import { unroutable } from './run-commands.js'

/** Turns what ticks find out into commands of the system, done in the background. */
export const followUpsOf = (
  chores: Chores,
  system: SystemCommands,
  log: EventLog,
  clock: Clock,
): FollowUps => ({
  ended: (state, cause) => {
    const { taskId, armedAt } = state
    const causationId = `armed ${armedAt}`
    chores.add(`end ${taskId} ${armedAt}`, () =>
      system.completeTask(taskId, cause, causationId, clock.now(), armedAt),
    )
  },
  poisoned: (taskId, message) => {
    chores.add(`quarantine ${taskId}`, () => system.quarantineTask(taskId, 'plan_failed', message))
  },
  unroutable: ({ taskIds, message }) => {
    for (const taskId of taskIds) {
      chores.add(`quarantine ${taskId}`, () => system.quarantineTask(taskId, unroutable, message))
    }
  },
  unplannable: (state, problems) => {
    const { taskId, namespace, spec, revision } = state
    const [problem] = problems
    chores.add(`quarantine ${taskId}`, async () => {
      // A shared schedule that was deleted with its tasks: the deletion of this one had not happened yet.
      if (problem?.code === 'unknown_schedule' && 'ref' in spec.schedule) {
        const events = await log.readStream(scheduleStream(scheduleIdOf(namespace, spec.schedule.ref)))
        const last = events.at(-1)
        if (last?.type === 'ScheduleDeleted' && (await system.reactToScheduleDeleted(last)) > 0) return
      }
      const message = problems.map((each) => `${each.path}: ${each.message}`).join('; ')
      await system.quarantineTask(taskId, problem?.code ?? 'unplannable', message, revision)
    })
  },
})

import type { TaskJson } from '@almanac/protocol'
import { Failure } from '../failure.js'
import { findTask } from '../http/find.js'
import { failureOf } from '../http/server.js'
import { printFailure } from '../output/failure.js'
import { visible } from '../output/text.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'
import { moment } from './tasks-show.js'

export interface ChangeOptions extends ServerOptions {
  readonly reason?: string
  /** Of `disable`. */
  readonly until?: string
}

export const taskVerbs = ['enable', 'disable', 'trigger', 'reset-history', 'delete'] as const
export type TaskVerb = (typeof taskVerbs)[number]

interface BulkAnswer {
  readonly results: readonly [{ readonly status: number; readonly problem?: unknown }]
}

/** Deletes take their reason in a header, which has no Unicode; in a body they do. */
const deletion = async (session: Session, task: TaskJson, reason: string | undefined) => {
  const operation = { op: 'delete', id: task.id, ...(reason === undefined ? {} : { reason }) }
  const { body } = await session.server.ask<BulkAnswer>('/tasks/bulk', {
    method: 'POST',
    body: { operations: [operation] },
  })
  const [result] = body.results
  if (result.status > 299) throw failureOf(result.status, result.problem)
  return result
}

const done: Readonly<Record<TaskVerb, (session: Session, answer: unknown) => string>> = {
  enable: (session, answer) => `enabled, next run ${moment(session, (answer as TaskJson).nextRunAt, 'none')}`,
  disable: (session, answer) => {
    const { pausedUntil, nextRunAt } = answer as TaskJson
    if (pausedUntil === null) return 'disabled'
    return `paused until ${moment(session, pausedUntil)}; next run ${moment(session, nextRunAt, 'none')}`
  },
  trigger: (_, answer) => `triggered, run ${(answer as { runId: string }).runId}`,
  'reset-history': () => 'run history reset',
  delete: () => 'deleted; its history is kept',
}

const changeOne = async (
  session: Session,
  verb: TaskVerb,
  name: string,
  { reason, until }: Pick<ChangeOptions, 'reason' | 'until'>,
) => {
  const task = await findTask(session.server, name)
  if (verb === 'delete') return { task, answer: await deletion(session, task, reason) }
  const { body } = await session.server.ask<unknown>(`/tasks/${task.id}/${verb}`, {
    method: 'POST',
    body: {
      ...(reason === undefined ? {} : { reason }),
      ...(until === undefined ? {} : { until: new Date(session.instant('--until', until)).toISOString() }),
    },
  })
  return { task, answer: body }
}

/** Does the same to each task named. One that is refused does not keep the others; the exit code is the first's. */
export const changeTasks = async (
  world: World,
  verb: TaskVerb,
  names: readonly string[],
  options: ChangeOptions,
): Promise<void> => {
  const session = new Session(world, options)
  const answers: unknown[] = []
  let failed: Failure | undefined
  for (const name of names) {
    try {
      const { task, answer } = await changeOne(session, verb, name, options)
      answers.push({ id: task.id, name: task.name, verb, answer })
      if (!session.json)
        session.line(`${world.out.paint.bold(visible(task.name))}: ${done[verb](session, answer)}`)
    } catch (fault) {
      if (!(fault instanceof Failure) || names.length === 1) throw fault
      printFailure(world.err, fault, session.json)
      failed ??= fault
      if (fault.details.code === 'unreachable') break
    }
  }
  if (session.json) session.document(answers)
  if (failed) throw new Failure(`Not all of the tasks could be changed.`, failed.exitCode)
}

import type { CalendarJson, EventJson, ScheduleJson, TaskJson } from '@almanac/protocol'
import { readPages } from '../http/pages.js'
import type { Session } from '../session.js'
import type { Plan, Present, SharedNow, Step } from './plan.js'
import type { SetFile } from './set-file.js'

const everything = { limit: Number.POSITIVE_INFINITY }
/** Questions that are asked at the same time. */
const together = 16

/** Reasons of our changes begin with this: by it they are told from those of others. */
export const reasonOf = (set: string, more?: string): string =>
  more === undefined ? `sync ${set}` : `sync ${set}: ${more}`
const isOurs = (set: string, reason: string | null): boolean =>
  reason === `sync ${set}` || reason?.startsWith(`sync ${set}: `) === true

async function eachOf<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<readonly R[]> {
  const answers: R[] = []
  for (let from = 0; from < items.length; from += together) {
    answers.push(...(await Promise.all(items.slice(from, from + together).map(ask))))
  }
  return answers
}

/** What the server has of the set and of the names in its files. */
export async function presentOf({ server }: Session, file: SetFile): Promise<Present> {
  const label = [`almanac/set=${file.set}`]
  const ours = (await readPages<TaskJson>(server, '/tasks', { label }, everything)).items
  const known = new Set(ours.map(({ name }) => name))
  const others = await eachOf(
    file.tasks.filter(({ name }) => !known.has(name)),
    async ({ name }) => (await server.ask<{ items: TaskJson[] }>('/tasks', { query: { name } })).body.items,
  )
  const schedules = (await readPages<ScheduleJson>(server, '/schedules', {}, everything)).items
  const calendars = (await readPages<CalendarJson>(server, '/calendars', {}, everything)).items
  const madeByUs = async (path: string) => {
    const { items } = (await server.ask<{ items: EventJson[] }>(path, { query: { limit: 1 } })).body
    return isOurs(file.set, items[0]?.reason ?? null)
  }
  const sharedNow = async (
    kind: 'schedules' | 'calendars',
    { id, name, revision }: ScheduleJson | CalendarJson,
    value: SharedNow['value'],
  ): Promise<SharedNow> => {
    return { id, name, revision, value, isOurs: await madeByUs(`/${kind}/${id}/history`) }
  }
  return {
    tasks: [...ours, ...others.flat()],
    schedules: await eachOf(schedules, (each) =>
      sharedNow('schedules', each, { schedule: each.schedule, description: each.description }),
    ),
    calendars: await eachOf(calendars, (each) =>
      sharedNow('calendars', each, { days: each.days, description: each.description }),
    ),
  }
}

/** Who changed a field, beside the set. */
export interface Drift {
  readonly path: string
  readonly actor: string
  readonly at: string
  readonly reason: string | null
}

/** Which differences others have made since the set was applied, by task. */
export async function driftOf(
  session: Session,
  { set, steps }: Plan,
): Promise<ReadonlyMap<string, readonly Drift[]>> {
  const changed = steps.filter(({ kind, action }) => kind === 'task' && action === 'change')
  const found = await eachOf(changed, async ({ id, name, differences }) => {
    const { items } = await readPages<EventJson>(
      session.server,
      `/tasks/${id}/history`,
      {},
      { limit: 10_000 },
    )
    const drifts = differences.flatMap(({ path }): Drift[] => {
      const last = items.findLast(({ changes }) =>
        changes.some((change) => change.path === path || change.path.startsWith(`${path}.`)),
      )
      if (last === undefined || isOurs(set, last.reason)) return []
      const { actor, at, reason } = last
      return [{ path, actor, at, reason }]
    })
    return [name, drifts] as const
  })
  return new Map(found)
}

export interface Refused {
  readonly step: Step
  readonly message: string
}

/** Does the steps in their order; tells of each, and goes on when one is refused. */
export async function applySteps(
  session: Session,
  plan: Plan,
  reason: string | undefined,
  done: (step: Step) => void,
): Promise<readonly Refused[]> {
  const refused: Refused[] = []
  const why = reasonOf(plan.set, reason)
  const shared = async (steps: readonly Step[]) => {
    for (const step of steps) {
      try {
        await applyShared(session, step, why)
        done(step)
      } catch (fault) {
        if (!(fault instanceof Error) || isFatal(fault)) throw fault
        refused.push({ step, message: fault.message })
      }
    }
  }
  const isTask = ({ kind }: Step) => kind === 'task'
  const goes = ({ action }: Step) => action === 'delete'
  await shared(plan.steps.filter((step) => !isTask(step) && !goes(step)))
  const tasks = plan.steps.filter(isTask)
  for (let from = 0; from < tasks.length; from += bulkSize) {
    const part = tasks.slice(from, from + bulkSize)
    const { body } = await session.server.ask<BulkAnswer>('/tasks/bulk', {
      method: 'POST',
      body: { operations: part.map(operationOf), reason: why },
    })
    for (const [index, step] of part.entries()) {
      const problem = body.results[index]?.problem
      if (problem === undefined) done(step)
      else refused.push({ step, message: sentenceOf(problem) })
    }
  }
  await shared(plan.steps.filter((step) => !isTask(step) && goes(step)))
  return refused
}

const bulkSize = 500

interface BulkProblem {
  readonly code: string
  readonly title: string
  readonly detail?: string
  readonly errors: readonly { readonly path: string; readonly message: string }[]
}
interface BulkAnswer {
  readonly results: readonly { readonly problem?: BulkProblem }[]
}

const sentenceOf = ({ code, detail, title, errors }: BulkProblem): string =>
  code === 'revision_mismatch' || code === 'name_taken'
    ? 'it was changed since the plan was made: run it again'
    : [detail ?? title, ...errors.map(({ path, message }) => `${path} ${message}`)].join('; ')

function operationOf({ action, id, revision, value, name }: Step): object {
  if (action === 'delete') return { op: 'delete', id, revision }
  const task = { ...value, name }
  return action === 'create' ? { op: 'create', task } : { op: 'put', task, revision }
}

/** Of a server that is away nothing more is asked. */
const isFatal = (fault: Error): boolean => 'exitCode' in fault && fault.exitCode === 3

async function applyShared({ server }: Session, step: Step, reason: string): Promise<void> {
  const { kind, action, id, revision, value, name } = step
  const headers = revision === null ? {} : { 'if-match': `"${revision}"` }
  const path = `/${kind}s`
  if (action === 'create') await server.ask(path, { method: 'POST', body: { name, ...value, reason } })
  else if (action === 'change')
    await server.ask(`${path}/${id}`, { method: 'PATCH', headers, body: { ...value, reason } })
  else await server.ask(`${path}/${id}`, { method: 'DELETE', body: { reason } })
}

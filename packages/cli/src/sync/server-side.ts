import type { CalendarJson, EventJson, ScheduleJson, TaskJson } from '@almanac/protocol'
import { chunked } from '../http/chunks.js'
import { readPages } from '../http/pages.js'
import type { Session } from '../session.js'
import type { Kind, Plan, Present, SharedNow, Step } from './plan.js'
import type { SetFile } from './set-file.js'

const everything = { limit: Number.POSITIVE_INFINITY }
/** Questions that are asked at the same time. */
const together = 16

/** Reasons of our changes begin with this: by it they are told from those of others. */
export const reasonOf = (set: string, more?: string): string =>
  more === undefined ? `sync ${set}` : `sync ${set}: ${more}`
const bySet = /^sync ([a-z0-9][a-z0-9.-]{0,62})(?:: |$)/
/** The set that made a change; null: people, or another program. */
const setIn = (reason: string | null): string | null => bySet.exec(reason ?? '')?.[1] ?? null

/** Whole histories: what there is of a task is seldom more than a few pages. */
const historyOf = async ({ server }: Session, kind: Kind, id: string | null): Promise<readonly EventJson[]> =>
  (await readPages<EventJson>(server, `/${kind}s/${id}/history`, {}, everything)).items

async function eachOf<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<readonly R[]> {
  const answers: R[] = []
  for (let from = 0; from < items.length; from += together) {
    answers.push(...(await Promise.all(items.slice(from, from + together).map(ask))))
  }
  return answers
}

/** What the server has of the set and of the names in its files. */
export async function presentOf(session: Session, file: SetFile): Promise<Present> {
  const { server } = session
  const label = [`almanac/set=${file.set}`]
  const ofSet = (await readPages<TaskJson>(server, '/tasks', { label }, everything)).items
  const known = new Set(ofSet.map(({ name }) => name))
  const others = await eachOf(
    file.tasks.filter(({ name }) => !known.has(name)),
    async ({ name }) => (await server.ask<{ items: TaskJson[] }>('/tasks', { query: { name } })).body.items,
  )
  const schedules = (await readPages<ScheduleJson>(server, '/schedules', {}, everything)).items
  const calendars = (await readPages<CalendarJson>(server, '/calendars', {}, everything)).items
  const sharedNow = async (
    kind: 'schedule' | 'calendar',
    { id, name, revision }: ScheduleJson | CalendarJson,
    value: SharedNow['value'],
  ): Promise<SharedNow> => {
    return { id, name, revision, value, owner: ownerOf(await historyOf(session, kind, id)) }
  }
  return {
    tasks: [...ofSet, ...others.flat()],
    schedules: await eachOf(schedules, (each) =>
      sharedNow('schedule', each, { schedule: each.schedule, description: each.description }),
    ),
    calendars: await eachOf(calendars, (each) =>
      sharedNow('calendar', each, { days: each.days, description: each.description }),
    ),
  }
}

/** The set that made it, or has written it since. A name may have been used, and deleted, before. */
function ownerOf(events: readonly EventJson[]): string | null {
  const created = events.findLastIndex(({ type }) => type.endsWith('Created'))
  const written = events.slice(Math.max(0, created)).findLast(({ reason }) => setIn(reason) !== null)
  return setIn(written?.reason ?? null)
}

/** Who changed a field, beside the set. */
export interface Drift {
  readonly path: string
  readonly actor: string
  readonly at: string
  readonly reason: string | null
}

export type Drifts = (step: Step) => readonly Drift[]

/** Which differences others have made since the set was applied. */
export async function driftOf(session: Session, { set, steps }: Plan): Promise<Drifts> {
  const changed = steps.filter(({ action }) => action === 'change')
  const found = await eachOf(changed, async (step) => {
    const events = await historyOf(session, step.kind, step.id)
    const drifts = step.differences.flatMap(({ path }): Drift[] => {
      const last = events.findLast(({ changes }) =>
        changes.some((change) => change.path === path || change.path.startsWith(`${path}.`)),
      )
      if (last === undefined || setIn(last.reason) === set) return []
      const { actor, at, reason } = last
      return [{ path, actor, at, reason }]
    })
    return [keyOf(step), drifts] as const
  })
  const byStep = new Map(found)
  return (step) => byStep.get(keyOf(step)) ?? []
}

const keyOf = ({ kind, name }: Step): string => `${kind} ${name}`

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
  const tasks = plan.steps.filter(isTask).map((step) => ({ step, operation: operationOf(step) }))
  for (const part of chunked(tasks)) {
    const problems = await problemsOf(session, part, why)
    for (const [index, { step }] of part.entries()) {
      const message = problems(index)
      if (message === undefined) done(step)
      else refused.push({ step, message })
    }
  }
  await shared(plan.steps.filter((step) => !isTask(step) && goes(step)))
  return refused
}

interface Entry {
  readonly step: Step
  readonly operation: object
}

/** Sends a part of the tasks; what stands in the way of each. A request that is refused stands in the way of all. */
async function problemsOf(
  { server }: Session,
  part: readonly Entry[],
  reason: string,
): Promise<(index: number) => string | undefined> {
  const operations = part.map(({ operation }) => operation)
  try {
    const { body } = await server.ask<BulkAnswer>('/tasks/bulk', {
      method: 'POST',
      body: { operations, reason },
      timeoutMs: 120_000,
    })
    return (index) => {
      const problem = body.results[index]?.problem
      return problem === undefined ? undefined : sentenceOf(problem)
    }
  } catch (fault) {
    if (!(fault instanceof Error) || isFatal(fault)) throw fault
    return () => fault.message
  }
}

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
  else if (action !== 'delete')
    await server.ask(`${path}/${id}`, { method: 'PATCH', headers, body: { ...value, reason } })
  else await server.ask(`${path}/${id}`, { method: 'DELETE', body: { reason } })
}

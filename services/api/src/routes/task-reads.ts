import type { TaskState } from '@almanac/domain'
import type { OccurrenceView, TaskView } from '@almanac/engine'
import {
  ItemQuery,
  isoOf,
  type OccurrenceJson,
  OccurrenceList,
  OccurrencesQuery,
  TaskJson,
  TaskList,
  TaskListQuery,
  taskJson,
} from '@almanac/protocol'
import { dstNotes, parseInstant, type ScheduleValue } from '@almanac/recurrence'
import type { FastifyReply } from 'fastify'
import { type Api, type Host, namespacePath } from '../host.js'
import { ApiProblem, notFound, valid } from '../problem.js'
import { listJson, pageOf, readPosition } from '../reading.js'
import { etag } from '../task-answers.js'
import { localTime, zoneOf } from '../zone-text.js'
import { idParam, inNamespace, nameParam, responses } from './answers.js'
import { filterOf, orderOf } from './task-filter.js'

const tags = ['tasks']
const byId = inNamespace({ id: idParam })

export function taskReadRoutes(api: Api, host: Host): void {
  const { queries } = host.app

  api.route({
    method: 'GET',
    url: `${namespacePath}/tasks`,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'List tasks; also as they were',
      params: inNamespace({}),
      querystring: TaskListQuery,
      response: responses({ 200: TaskList }, 409, 422),
    },
    handler: async (request, reply) => {
      const { namespace } = request.params
      const asOf = await readPosition(host, request.query)
      const filter = filterOf(request.query)
      const { sort = 'name' } = request.query
      const asked = pageOf(request.query, [namespace, 'tasks', filter, asOf ?? null, sort])
      reply.header('almanac-position', String(asOf ?? queries.position()))
      const page = { ...asked.page, order: orderOf(sort) }
      return listJson(queries.tasks(namespace, filter, page, asOf), asked, taskJson)
    },
  })

  api.route({
    method: 'GET',
    url: `${namespacePath}/tasks/:id`,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'Read a task; also as it was',
      params: byId,
      querystring: ItemQuery,
      response: responses({ 200: TaskJson }, 404, 409, 422),
    },
    handler: async (request, reply) => {
      const asOf = await readPosition(host, request.query)
      return answer(host, reply, queries.task(request.params.namespace, request.params.id, asOf), asOf)
    },
  })

  api.route({
    method: 'GET',
    url: `${namespacePath}/tasks/by-name/:name`,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'Read a task by its name; also as it was',
      params: inNamespace({ name: nameParam }),
      querystring: ItemQuery,
      response: responses({ 200: TaskJson }, 404, 409, 422),
    },
    handler: async (request, reply) => {
      const asOf = await readPosition(host, request.query)
      const name = request.params.name.normalize('NFC')
      return answer(host, reply, queries.taskByName(request.params.namespace, name, asOf), asOf)
    },
  })

  occurrencesRoute(api, host)
}

function answer(host: Host, reply: FastifyReply, view: TaskView | undefined, asOf: number | undefined) {
  if (view === undefined) throw notFound('task of this id or name')
  reply.header('etag', etag(view.state.revision))
  reply.header('almanac-position', String(asOf ?? host.app.queries.position()))
  return taskJson(view)
}

function occurrencesRoute(api: Api, host: Host): void {
  const { queries } = host.app
  api.route({
    method: 'GET',
    url: `${namespacePath}/tasks/:id/occurrences`,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'When a task runs, or ran',
      description:
        'The occurrences after `from`, now if left out; with `to`, from `from` to `to`, both included. Those that ' +
        'are past come with what became of them, also of a deleted task. `nextCursor` goes on behind the last one, ' +
        'and is null at the end of the range.',
      params: byId,
      querystring: OccurrencesQuery,
      response: responses({ 200: OccurrenceList }, 404, 409, 422),
    },
    handler: async (request) => {
      await readPosition(host, request.query)
      const { namespace, id } = request.params
      const { from, to, count = 20 } = request.query
      const view = queries.task(namespace, id) ?? (await lastView(host, namespace, id))
      if (view === undefined) throw notFound('task of this id')
      const start = from === undefined ? undefined : valid(parseInstant(from, 'from'))
      const after = start ?? host.clock.now()
      const end = to === undefined ? undefined : valid(parseInstant(to, 'to'))
      if (start !== undefined && end !== undefined && start > end) throw reversed()
      const asked = pageOf(request.query, [namespace, id, 'occurrences', from ?? null, to ?? null])
      const { at, told } = goingOn(asked.page.cursor)
      const first = at ?? (end === undefined ? after + 1 : (start ?? view.state.createdAt))
      const found = await occurrencesIn(host, view.state, {
        first,
        end,
        count: count + 1 + told,
        isContinued: at !== undefined,
      })
      const rest = found.slice(told)
      const page = { items: rest.slice(0, count), total: 0, nextCursor: behind(rest, count, { at, told }) }
      const { nextCursor } = listJson(page, asked, (item) => item)
      return { ...occurrencesJson(view, page.items, end === undefined ? [after] : []), nextCursor }
    },
  })
}

/** A deleted task as it was last: what became of its occurrences is asked for by auditors. */
async function lastView(
  { app: { queries } }: Host,
  namespace: string,
  id: string,
): Promise<TaskView | undefined> {
  const last = (await queries.history(namespace, id)).at(-1)
  return last?.type === 'TaskDeleted' ? queries.task(namespace, id, last.position - 1) : undefined
}

/** Where a page goes on: with those at an instant, of which so many have been told. */
interface Place {
  readonly at: number | undefined
  readonly told: number
}

const goingOn = (cursor: string | undefined): Place => {
  const [at, told = '0'] = cursor?.split('+') ?? []
  return at === undefined ? { at: undefined, told: 0 } : { at: Number(at), told: Number(told) }
}

/** Several may be at one instant, such as a run on request beside the scheduled one: they are counted. */
function behind(found: readonly OccurrenceView[], count: number, before: Place): string | null {
  const last = found[count - 1]
  if (last === undefined || found.length <= count) return null
  const same = found.slice(0, count).filter(({ at }) => at === last.at).length
  return `${last.at}+${same + (last.at === before.at ? before.told : 0)}`
}

const reversed = () =>
  new ApiProblem('invalid', 'The range ends before it begins.', [
    { path: 'from', code: 'range_reversed', message: 'must not be later than to' },
  ])

interface Stretch {
  readonly first: number
  readonly end: number | undefined
  readonly count: number
  /** A page after another: a range of skips that began before it has been told. */
  readonly isContinued: boolean
}

/** What has become of those up to now, then those that come; from `first` to `end` inclusive. */
async function occurrencesIn(
  { app: { queries }, clock }: Host,
  { namespace, taskId }: TaskState,
  { first, end, count, isContinued }: Stretch,
): Promise<readonly OccurrenceView[]> {
  const now = clock.now()
  const past =
    first > now
      ? []
      : await queries.outcomes(namespace, taskId, first, Math.min(end ?? now, now), count, isContinued)
  const left = count - (past?.length ?? 0)
  if (left <= 0 || (end !== undefined && end <= now)) return past ?? []
  const coming = queries.coming(namespace, taskId, Math.max(first - 1, now), left) ?? []
  return [...(past ?? []), ...coming.filter(({ at }) => end === undefined || at <= end)]
}

/** `seen`: instants that were looked at before the first occurrence, so that the clocks' jumps before it are told. */
function occurrencesJson(view: TaskView, occurrences: readonly OccurrenceView[], seen: readonly number[]) {
  const timezone = zoneOf(view.scheduleValue)
  const local = localTime(timezone)
  return {
    items: occurrences.map(
      (occurrence): OccurrenceJson => ({
        ...occurrence,
        at: isoOf(occurrence.at),
        local: local(occurrence.at),
      }),
    ),
    total: occurrences.length,
    timezone,
    scheduleText: view.scheduleText,
    notes: notesOf(view.scheduleValue, [...seen, ...occurrences.map(({ at }) => at)]),
  }
}

/** What daylight saving does between the first and the last of some instants. */
export function notesOf(schedule: ScheduleValue | null, instants: readonly number[]): string[] {
  const [first] = instants
  const last = instants.at(-1)
  if (schedule === null || first === undefined || last === undefined) return []
  return [...dstNotes(schedule, first, last)]
}

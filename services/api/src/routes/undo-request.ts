import { type RecordedEvent, subjectOf, undoConflict } from '@almanac/domain'
import type { UndoneEvent } from '@almanac/engine'
import {
  CommandQuery,
  fieldChanges,
  maxUndone,
  UndoRequestBody,
  UndoRequestJson,
  UndoRequestPreviewJson,
  UndoRequestQuery,
} from '@almanac/protocol'
import { type Static, Type } from 'typebox'
import { changes } from '../fence.js'
import { type Api, type Host, namespacePath } from '../host.js'
import { ApiProblem, notFound } from '../problem.js'
import { readPosition, waitMs } from '../reading.js'
import { commandContext } from '../request-context.js'
import { inNamespace, responses } from './answers.js'

const url = `${namespacePath}/changes/:correlationId/undo`
const params = inNamespace({
  correlationId: Type.String({
    pattern: '^[^/]{1,200}$',
    title: 'must be 1 to 200 characters without a slash',
    description:
      'Of the request that made the changes: `X-Request-Id` of its answer, `correlationId` of its events.',
  }),
})
/** How many events an answer tells one by one. */
const told = 100

/** Taking back all that one request did, such as a bulk operation. */
export function undoRequestRoutes(api: Api, host: Host): void {
  previewRoute(api, host)
  undoRoute(api, host)
}

function previewRoute(api: Api, host: Host): void {
  api.route({
    method: 'GET',
    url,
    config: { scope: 'audit:read' },
    schema: {
      tags: ['changes'],
      summary: 'What taking back all that one request did would set',
      description: 'Each change is looked at by itself, as things are now.',
      params,
      querystring: UndoRequestQuery,
      response: responses({ 200: UndoRequestPreviewJson }, 404, 409, 422),
    },
    handler: async (request) => {
      await readPosition(host, request.query)
      const { namespace, correlationId } = request.params
      const events = await eventsOf(host, namespace, correlationId, request.query.after)
      const looks: Look[] = []
      for (const event of events) looks.push(await lookAt(host, namespace, event))
      const many = (outcome: string) => looks.filter((look) => look.outcome === outcome).length
      return {
        correlationId,
        total: events.length,
        undoable: many('undoable'),
        unchanged: many('unchanged'),
        refused: many('refused'),
        events: looks.slice(0, told),
      }
    },
  })
}

function undoRoute(api: Api, host: Host): void {
  api.route({
    method: 'POST',
    url,
    config: { scope: 'tasks:write', bodyOptional: true },
    schema: {
      tags: ['changes'],
      summary: 'Take back all that one request did',
      description:
        'Each of its changes is taken back by a new event, the last first; those that are refused, since others ' +
        'have changed the same fields, are told and left. All new events have the correlation id of the answer. ' +
        'May be repeated: what is back already stays as it is.',
      params,
      querystring: CommandQuery,
      body: UndoRequestBody,
      response: responses({ 200: UndoRequestJson }, 404, 409, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const { namespace, correlationId } = request.params
      const context = commandContext(host, request, request.body)
      const { after, force = false } = request.body
      const events = await eventsOf(host, namespace, correlationId, after)
      const undone = await host.app.commands.undoRequest(context, events, { force })
      const position = Math.max(0, ...undone.map((one) => ('position' in one ? one.position : 0)))
      await host.app.queries.waitFor(position, waitMs)
      changes(reply, affectedTasks(undone), position)
      reply.header('almanac-position', String(position))
      const many = (outcome: string) => undone.filter((one) => one.outcome === outcome).length
      return {
        correlationId: context.correlationId,
        total: events.length,
        undone: many('undone'),
        unchanged: many('unchanged'),
        refused: many('refused'),
        problems: undone
          .flatMap((one) => {
            if (one.outcome !== 'refused') return []
            return [{ ...shown(one.event), code: one.refusal.code, detail: one.refusal.message }]
          })
          .slice(0, told),
      }
    },
  })
}

const affectedTasks = (undone: readonly UndoneEvent[]) =>
  undone.flatMap(({ event }) => {
    const subject = subjectOf(event.stream)
    return subject?.kind === 'task' ? [{ kind: 'task' as const, taskId: subject.id }] : []
  })

function shown({ stream, revision, type }: RecordedEvent) {
  const { kind, id } = subjectOf(stream) ?? { kind: 'cluster' as const, id: stream }
  return { kind, id, revision, type }
}

/** All events of one request, oldest first. The search goes through the log from `after` on. */
async function eventsOf(
  host: Host,
  namespace: string,
  correlationId: string,
  after = 0,
): Promise<readonly RecordedEvent[]> {
  const found: RecordedEvent[] = []
  let position: number | null = after
  while (position !== null) {
    const page = await host.app.queries.audit(namespace, position, maxUndone, { correlationId })
    found.push(...page.events.map(({ event }) => event))
    if (found.length > maxUndone) {
      throw new ApiProblem('too_many_changes', `The request made more than ${maxUndone} changes.`)
    }
    position = page.next
  }
  if (found.length === 0) throw notFound('change of this correlation id')
  return found
}

type Look = Static<typeof UndoRequestPreviewJson>['events'][number]

async function lookAt(host: Host, namespace: string, event: RecordedEvent): Promise<Look> {
  const about = shown(event)
  const subject = subjectOf(event.stream)
  if (subject === undefined) return { ...about, outcome: 'refused', changes: [], code: 'not_undoable' }
  const look = await host.app.commands.previewUndo(namespace, subject, event.revision)
  if (!look.ok) {
    const { code, message: detail } = look.error
    return { ...about, outcome: 'refused', changes: [], code, detail }
  }
  const { changes: set, conflicts } = look.value
  if (conflicts.length > 0) {
    const { code, message: detail } = undoConflict(conflicts)
    return { ...about, outcome: 'refused', changes: fieldChanges(set), code, detail }
  }
  const outcome = set.length === 0 ? 'unchanged' : 'undoable'
  return { ...about, outcome, changes: fieldChanges(set) }
}

import type { CalendarState, RecordedEvent, ScheduleState, Subject, TaskState } from '@almanac/domain'
import type { Applied, AuditFilter, Commands, UndoOptions } from '@almanac/engine'
import {
  AuditJson,
  AuditQuery,
  CommandQuery,
  type EventJson,
  fieldChanges,
  HistoryJson,
  HistoryQuery,
  historyJson,
  knownEventJson,
  MarkerQuery,
  UndoBody,
  UndoJson,
  UndoPreviewJson,
} from '@almanac/protocol'
import { parseInstant } from '@almanac/recurrence'
import { type Static, Type } from 'typebox'
import { type Api, type Host, namespacePath } from '../host.js'
import { granted, notFound, valid } from '../problem.js'
import { listJson, pageOf, readPosition, waitMs } from '../reading.js'
import { commandContext, ifMatch } from '../request-context.js'
import { applied } from '../task-answers.js'
import { idParam, inNamespace, responses } from './answers.js'

type Kind = Subject['kind']
const kinds: readonly Kind[] = ['task', 'schedule', 'calendar']

const byId = inNamespace({ id: idParam })
const ofRevision = inNamespace({
  id: idParam,
  revision: Type.String({
    pattern: '^[0-9]{1,15}$',
    title: 'must be a revision, digits only',
    description: 'Revision of the event, as its history tells it.',
  }),
})

/** What happened to tasks, shared schedules and calendars, and taking it back. */
export function historyRoutes(api: Api, host: Host): void {
  for (const kind of kinds) {
    historyRoute(api, host, kind)
    previewRoute(api, host, kind)
    undoRoute(api, host, kind)
  }
  auditRoute(api, host)
}

function historyRoute(api: Api, host: Host, kind: Kind): void {
  api.route({
    method: 'GET',
    url: `${namespacePath}/${kind}s/:id/history`,
    config: { scope: 'audit:read' },
    schema: {
      tags: [`${kind}s`],
      summary: `What happened to a ${kind}: who, when, why, what changed`,
      description: 'Oldest first. Also of one that is deleted.',
      params: byId,
      querystring: HistoryQuery,
      response: responses({ 200: HistoryJson }, 404, 409, 422),
    },
    handler: async (request) => {
      const asOf = await readPosition(host, request.query)
      const { namespace, id } = request.params
      const events = (await host.app.queries.history(namespace, id, kind)).filter(
        ({ position }) => asOf === undefined || position <= asOf,
      )
      if (events.length === 0) throw notFound(`${kind} of this id`)
      const asked = pageOf(request.query, [namespace, kind, id, 'history', asOf ?? null])
      return listJson(slice(historyJson(events), asked.page), asked, (event) => event)
    },
  })
}

/** The cursor is the revision of the last event of the page before: events that come later stand behind it. */
function slice(events: readonly EventJson[], page: { readonly limit: number; readonly cursor?: string }) {
  const rest =
    page.cursor === undefined ? events : events.filter(({ revision }) => revision > Number(page.cursor))
  const items = rest.slice(0, page.limit)
  const last = rest.length > items.length ? items.at(-1) : undefined
  return { items, nextCursor: last?.revision.toString() ?? null, total: events.length }
}

function previewRoute(api: Api, host: Host, kind: Kind): void {
  const { queries, commands } = host.app
  api.route({
    method: 'GET',
    url: `${namespacePath}/${kind}s/:id/history/:revision/undo`,
    config: { scope: 'audit:read' },
    schema: {
      tags: [`${kind}s`],
      summary: 'What taking a change back would set, and what stands in its way',
      params: ofRevision,
      querystring: MarkerQuery,
      response: responses({ 200: UndoPreviewJson }, 404, 409),
    },
    handler: async (request) => {
      await readPosition(host, request.query)
      const { namespace, id } = request.params
      const revision = Number(request.params.revision)
      const { changes, conflicts } = granted(await commands.previewUndo(namespace, { kind, id }, revision))
      const undoes = eventAt(await queries.history(namespace, id, kind), revision)
      if (undoes === null) throw notFound('change of this revision')
      return {
        undoes,
        changes: fieldChanges(changes),
        conflicts: conflicts.map(({ field, before, after, revision: changedBy }) => ({
          path: field,
          set: before ?? null,
          now: after ?? null,
          revision: changedBy,
        })),
      }
    },
  })
}

const eventAt = (events: readonly RecordedEvent[], revision: number): EventJson | null =>
  historyJson(events).find((event) => event.revision === revision) ?? null

/** Takes a change back: the command, and what its answer tells of the state that it left. */
async function undo(
  commands: Commands,
  kind: Kind,
  ...request: Parameters<Commands['undoTask']>
): Promise<Applied<TaskState | ScheduleState | CalendarState>> {
  if (kind === 'task') return granted(await commands.undoTask(...request))
  return kind === 'schedule'
    ? granted(await commands.undoSchedule(...request))
    : granted(await commands.undoCalendar(...request))
}

function undoRoute(api: Api, host: Host, kind: Kind): void {
  const { queries, commands } = host.app
  api.route({
    method: 'POST',
    url: `${namespacePath}/${kind}s/:id/history/:revision/undo`,
    config: { scope: 'tasks:write', bodyOptional: true },
    schema: {
      tags: [`${kind}s`],
      summary: 'Take a change back, by a new event',
      description:
        'Sets back exactly the fields that the change set. A creation is taken back by deleting, a deletion by ' +
        'restoring under the same id, an undo by another one. Fields that a later change set too are refused with ' +
        '`undo_conflict`, unless `force` is true. What is back already is answered with `event` null.',
      params: ofRevision,
      querystring: CommandQuery,
      body: UndoBody,
      response: responses({ 200: UndoJson }, 404, 409, 412, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const revision = Number(request.params.revision)
      const context = commandContext(host, request, request.body)
      const options: UndoOptions = { force: request.body.force ?? false, expected: ifMatch(request) }
      const outcome = await undo(commands, kind, context, id, revision, options)
      const { state, position } = outcome
      await queries.waitFor(position, waitMs)
      const events = await queries.history(context.namespace, id, kind)
      const made = eventAt(events, state.revision)
      const isMade =
        made?.undoes === revision && (outcome.repeated || made.correlationId === context.correlationId)
      applied(reply, outcome).code(200)
      return {
        kind,
        id,
        status: state.status === 'active' ? ('active' as const) : ('deleted' as const),
        revision: state.revision,
        event: isMade ? made : null,
      }
    },
  })
}

function auditRoute(api: Api, host: Host): void {
  api.route({
    method: 'GET',
    url: `${namespacePath}/history`,
    config: { scope: 'audit:read' },
    schema: {
      tags: ['changes'],
      summary: 'Who changed what in the namespace',
      description:
        'Oldest first. One request reads a bounded part of the log, so a page may be short, or empty, although ' +
        '`nextCursor` tells that more follow. To go on later, ask with `after` and the `position` of the last page.',
      params: inNamespace({}),
      querystring: AuditQuery,
      response: responses({ 200: AuditJson }, 409, 422),
    },
    handler: async (request) => {
      await readPosition(host, request.query)
      const { namespace } = request.params
      const filter = filterOf(request.query)
      const { after = 0 } = request.query
      const asked = pageOf(request.query, [namespace, 'audit', filter, after])
      const { limit, cursor } = asked.page
      const start = cursor === undefined ? after : Number(cursor)
      const page = await host.app.queries.audit(namespace, start, limit, filter)
      const listed = { items: page.events, nextCursor: page.next?.toString() ?? null, total: 0 }
      const { items, nextCursor } = listJson(listed, asked, ({ event, before }) =>
        knownEventJson(event, before),
      )
      return { items, nextCursor, position: page.position }
    },
  })
}

function filterOf(query: Static<typeof AuditQuery>): AuditFilter {
  const { actor, kind, type, task, correlationId, from, to } = query
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(kind === undefined ? {} : { kinds: kind }),
    ...(type === undefined ? {} : { types: type }),
    ...(task === undefined ? {} : { taskId: task }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(from === undefined ? {} : { from: valid(parseInstant(from, 'from')) }),
    ...(to === undefined ? {} : { to: valid(parseInstant(to, 'to')) }),
  }
}

import { calendarIdOf, scheduleIdOf } from '@almanac/domain'
import { isoOf, type JsonObject, PreviewBody, PreviewJson } from '@almanac/protocol'
import {
  compile,
  describe,
  firstN,
  parseInstant,
  type Recurrence,
  type Result,
  type ScheduleValue,
  validateSchedule,
} from '@almanac/recurrence'
import { type Api, type Host, namespacePath } from '../host.js'
import { ApiProblem, valid } from '../problem.js'
import { inNamespace, responses } from './answers.js'
import { notesOf } from './task-reads.js'

/** What a schedule means, before anything is made of it. */
export function previewRoute(api: Api, host: Host): void {
  api.route({
    method: 'POST',
    url: `${namespacePath}/schedules/preview`,
    config: { scope: 'tasks:read' },
    schema: {
      tags: ['schedules'],
      summary: 'A schedule’s sentence and next instants, or its errors',
      params: inNamespace({}),
      body: PreviewBody,
      response: responses({ 200: PreviewJson }, 413, 415, 422),
    },
    handler: async (request) => {
      const { namespace } = request.params
      const { from, count = 10 } = request.body
      const after = from === undefined ? host.clock.now() : valid(parseInstant(from, 'from'))
      const schedule = scheduleOf(host, namespace, request.body.schedule)
      const calendar = (name: string) =>
        host.app.queries.calendar(namespace, calendarIdOf(namespace, name))?.spec.days
      const compiled = compile(schedule, { anchor: after, calendar })
      const occurrences = firstN(valid(underSchedule(compiled)), after, count)
      return {
        text: describe(schedule),
        occurrences: occurrences.map(isoOf),
        notes: notesOf(schedule, [after, ...occurrences]),
      }
    },
  })
}

/** The fields of a schedule's problems as the request has them. */
const underSchedule = (compiled: Result<Recurrence>): Result<Recurrence> =>
  compiled.ok
    ? compiled
    : {
        ok: false,
        error: compiled.error.map((problem) => ({ ...problem, path: `schedule.${problem.path}` })),
      }

function scheduleOf(host: Host, namespace: string, given: JsonObject): ScheduleValue {
  const keys = Object.keys(given)
  if (keys.length !== 1 || typeof given.ref !== 'string') {
    const checked: Result<ScheduleValue> = validateSchedule(given, 'schedule')
    return valid(checked)
  }
  const shared = host.app.queries.schedule(namespace, scheduleIdOf(namespace, given.ref))
  if (shared !== undefined) return shared.spec.schedule
  throw new ApiProblem('schedule_unknown', undefined, [
    { path: 'schedule.ref', code: 'schedule_unknown', message: 'names no shared schedule' },
  ])
}

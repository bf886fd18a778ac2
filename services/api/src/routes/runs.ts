import type { RunFilter } from '@almanac/engine'
import { RunJson, RunList, RunListQuery, RunQuery, runJson } from '@almanac/protocol'
import { parseInstant } from '@almanac/recurrence'
import type { Static } from 'typebox'
import { type Api, type Host, namespacePath } from '../host.js'
import { notFound, valid } from '../problem.js'
import { listJson, pageOf, readPosition } from '../reading.js'
import { idParam, inNamespace, responses } from './answers.js'

const tags = ['runs']

/** The run history. */
export function runRoutes(api: Api, host: Host): void {
  const { queries } = host.app
  api.route({
    method: 'GET',
    url: `${namespacePath}/runs`,
    config: { scope: 'runs:read' },
    schema: {
      tags,
      summary: 'List runs, newest scheduled first',
      params: inNamespace({}),
      querystring: RunListQuery,
      response: responses({ 200: RunList }, 409),
    },
    handler: async (request) => {
      await readPosition(host, request.query)
      const { namespace } = request.params
      const filter = filterOf(request.query)
      const asked = pageOf(request.query, [namespace, 'runs', filter])
      return listJson(queries.runs(namespace, filter, asked.page), asked, runJson)
    },
  })

  api.route({
    method: 'GET',
    url: `${namespacePath}/runs/:id`,
    config: { scope: 'runs:read' },
    schema: {
      tags,
      summary: 'Read a run',
      params: inNamespace({ id: idParam }),
      querystring: RunQuery,
      response: responses({ 200: RunJson }, 404, 409),
    },
    handler: async (request) => {
      await readPosition(host, request.query)
      const run = queries.run(request.params.namespace, request.params.id)
      if (run === undefined) throw notFound('run of this id')
      return runJson(run)
    },
  })
}

function filterOf({ task, status, queue, kind, from, until }: Static<typeof RunListQuery>): RunFilter {
  return {
    ...(task === undefined ? {} : { taskId: task }),
    ...(status === undefined ? {} : { status }),
    ...(queue === undefined ? {} : { queue }),
    ...(kind === undefined ? {} : { kind }),
    ...(from === undefined ? {} : { from: valid(parseInstant(from, 'from')) }),
    ...(until === undefined ? {} : { until: valid(parseInstant(until, 'until')) }),
  }
}

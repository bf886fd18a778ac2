import fastify from 'fastify'
import { answerClientError } from './client-error.js'
import type { Api, ApiOptions } from './host.js'
import { ApiProblem, sendProblem, toProblem } from './problem.js'
import { clusterRoute, healthRoutes, metricsRoute } from './routes/operations.js'

export interface OperationsOptions extends Pick<ApiOptions, 'app' | 'metrics'> {
  /** Serve `/v1/cluster` too: it names nodes and tells of their state, so not to everybody. Default: false. */
  readonly cluster?: boolean
}

/**
 * Health and metrics alone, for probes and for whoever fetches metrics: nothing that a task says, and nothing that
 * changes anything, so that it may listen on any address. Listens on nothing yet.
 */
export async function buildOperations({ app, metrics, cluster = false }: OperationsOptions): Promise<Api> {
  const api = fastify({
    logger: false,
    bodyLimit: 1,
    return503OnClosing: false,
    requestTimeout: 5_000,
    keepAliveTimeout: 5_000,
    http: { headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
    clientErrorHandler: answerClientError,
  }) as Api
  api.server.maxConnections = 256
  api.setErrorHandler((error, _, reply) => sendProblem(reply, toProblem(error)))
  api.setNotFoundHandler((_, reply) => sendProblem(reply, new ApiProblem('route_not_found')))
  let closing = false
  api.addHook('preClose', async () => {
    closing = true
  })
  const host = { app, closing: () => closing }
  healthRoutes(api, host)
  if (cluster) clusterRoute(api, host)
  if (metrics !== undefined) metricsRoute(api, metrics)
  return api
}

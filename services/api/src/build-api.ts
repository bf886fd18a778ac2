import { noTelemetry, type Telemetry } from '@almanac/engine'
import { isoOf } from '@almanac/protocol'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { Access } from './access/access.js'
import { limitRates } from './access/limit-rates.js'
import { requireAccess } from './access/require-access.js'
import { acceptJsonOnly, bodyLimit } from './body.js'
import { answerClientError } from './client-error.js'
import { CommandTraces } from './command-traces.js'
import { awaitFences } from './fence.js'
import { guard } from './guards.js'
import type { Api, ApiOptions, Host } from './host.js'
import { measure } from './metrics.js'
import { serveOpenApi } from './openapi.js'
import { pageRoutes } from './page-routes.js'
import { ApiProblem, sendProblem, toProblem } from './problem.js'
import { actorForLog } from './request-context.js'
import { RouteTable } from './route-table.js'
import { bulkRoute } from './routes/bulk.js'
import { bulkQueryRoute } from './routes/bulk-query.js'
import { calendarRoutes } from './routes/calendars.js'
import { changeRoutes } from './routes/changes.js'
import { eventRoutes } from './routes/events.js'
import { exchangeRoutes } from './routes/exchange.js'
import { historyRoutes } from './routes/history.js'
import { keyRoutes } from './routes/keys.js'
import { operationRoutes } from './routes/operations.js'
import { previewRoute } from './routes/preview.js'
import { queueRoutes } from './routes/queues.js'
import { runRoutes } from './routes/runs.js'
import { scheduleRoutes } from './routes/schedules.js'
import { taskActionRoutes } from './routes/task-actions.js'
import { taskReadRoutes } from './routes/task-reads.js'
import { taskRoutes } from './routes/tasks.js'
import { undoRequestRoutes } from './routes/undo-request.js'
import { webhookRoutes } from './routes/webhooks.js'
import { makeAjv, validatorCompiler } from './validation.js'

/** A name of 200 characters of four bytes each, percent-encoded. */
const maxParamLength = 2_400

/**
 * The HTTP API over a running node. Listens on nothing yet. Closing it ends event streams and long waits first, then
 * waits for the requests under way.
 */
export async function buildApi(options: ApiOptions): Promise<Api> {
  let requests = 0
  const api = fastify({
    logger: false,
    bodyLimit,
    // A request that comes while closing is answered like any other, and its connection closed.
    return503OnClosing: false,
    routerOptions: { maxParamLength },
    requestTimeout: 15_000,
    keepAliveTimeout: 5_000,
    // Node looks for requests that are late every 30 s by default, which would make of 15 s up to 45.
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000 },
    genReqId: () => `${options.instanceToken}-${++requests}`,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error: Error, _: FastifyRequest, reply: FastifyReply) => {
      void sendProblem(reply, toProblem(error))
    },
  }) as Api
  api.server.maxConnections = 4_096

  const ajv = makeAjv()
  api.setValidatorCompiler(validatorCompiler(ajv))
  let closing = false
  api.addHook('preClose', async () => {
    closing = true
  })
  const { app, clock, telemetry = noTelemetry } = options
  const traces = new CommandTraces(telemetry)
  const host: Host = { app, clock, traces, closing: () => closing }
  const routes = new RouteTable(api)
  if (!telemetry.isOff) observe(api, telemetry, traces)
  logAccess(api, options, traces)
  guard(api, { ready: options.ready ?? (() => true), isLocal: options.access.isLocal })
  const access = new Access({ ...options.access, app, clock })
  requireAccess(api, access)
  if (options.rates !== undefined) limitRates(api, options.rates)
  acceptJsonOnly(api)
  awaitFences(api, host)
  handleErrors(api, options, routes)

  await serveOpenApi(api, options.version)
  taskRoutes(api, host)
  taskActionRoutes(api, host)
  taskReadRoutes(api, host)
  historyRoutes(api, host)
  undoRequestRoutes(api, host)
  bulkRoute(api, host, ajv)
  bulkQueryRoute(api, host, ajv)
  exchangeRoutes(api, host, ajv)
  previewRoute(api, host)
  scheduleRoutes(api, host)
  calendarRoutes(api, host)
  runRoutes(api, host)
  queueRoutes(api, host)
  changeRoutes(api, host)
  eventRoutes(api, host)
  webhookRoutes(api, host)
  keyRoutes(api, { host, access, random: options.random })
  operationRoutes(api, host, options.metrics)
  pageRoutes(api)
  return api
}

function handleErrors(api: Api, options: ApiOptions, routes: RouteTable): void {
  api.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error)
    if (problem.code === 'internal') options.onInternalError?.(error, { id: request.id, url: request.url })
    return sendProblem(reply, problem)
  })
  api.setNotFoundHandler((request, reply) => {
    const allowed = routes.allowed(request.url.split('?')[0] ?? '')
    if (allowed.length === 0) return sendProblem(reply, new ApiProblem('route_not_found'))
    reply.header('allow', allowed.join(', '))
    return sendProblem(reply, new ApiProblem('method_not_allowed'))
  })
}

function observe(api: Api, telemetry: Telemetry, traces: CommandTraces): void {
  api.addHook('onResponse', (request, reply, done) => {
    measure(telemetry, request, reply)
    traces.answered(request, reply)
    done()
  })
}

function logAccess(api: Api, { accessLog, clock }: ApiOptions, traces: CommandTraces): void {
  if (accessLog === undefined) return
  api.addHook('onResponse', async (request, reply) => {
    const traceId = traces.traceIdOf(request)
    accessLog({
      at: isoOf(clock.now()),
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      url: request.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 1_000) / 1_000,
      requestId: request.id,
      actor: actorForLog(request),
      ...(traceId === undefined ? {} : { traceId }),
    })
  })
}

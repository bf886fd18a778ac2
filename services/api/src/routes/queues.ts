import type { LeasedRun, LeaseReply, RunIntake } from '@almanac/engine'
import {
  AckBody,
  FailBody,
  HeartbeatBody,
  HeartbeatJson,
  isoOrNull,
  LeaseBody,
  LeaseJson,
  runCommandJson,
  SettledJson,
} from '@almanac/protocol'
import type { FastifyRequest } from 'fastify'
import { unauthenticated } from '../access/access.js'
import { principalOf } from '../access/principal.js'
import { type Api, type Host, namespacePath } from '../host.js'
import { ApiProblem, notFound } from '../problem.js'
import { idParam, inNamespace, nameParam, responses } from './answers.js'

/** In a cluster runs are in Kafka's topics, and there is nothing to take here. */
function intakeOf({ app }: Host): RunIntake {
  if (app.intake === null) throw new ApiProblem('runs_in_topics')
  return app.intake
}

const tags = ['workers']
const defaultLeaseSeconds = 60
const byId = inNamespace({ id: idParam })

/** The worker's side: take runs, report what became of them. */
export function queueRoutes(api: Api, host: Host): void {
  leaseRoute(api, host)
  settleRoutes(api, host)
  heartbeatRoute(api, host)
}

const leasedJson = ({ run, leaseToken }: LeasedRun) => ({
  ...runCommandJson(run.command, run.attempt),
  leaseToken,
  leaseExpiresAt: isoOrNull(run.leaseExpiresAt),
})

/**
 * One long wait is made of short ones: a run must not be handed to a client that has gone or by a server that is
 * closing, since it would then be nobody's until its lease lapses.
 */
const waitSliceMs = 500

async function lease(
  host: Host,
  request: FastifyRequest,
  wanted: { readonly namespace: string; readonly queue: string },
  body: LeaseBody,
): Promise<readonly LeasedRun[]> {
  const until = host.clock.elapsed() + (body.waitMs ?? 0)
  for (;;) {
    const left = until - host.clock.elapsed()
    const runs = await intakeOf(host).lease({
      ...wanted,
      max: body.max ?? 1,
      waitMs: Math.max(0, Math.min(waitSliceMs, left)),
      worker: body.worker ?? 'anonymous',
      leaseMs: (body.leaseSeconds ?? defaultLeaseSeconds) * 1_000,
    })
    if (runs.length > 0 || host.clock.elapsed() >= until) return runs
    if (host.closing() || request.socket.destroyed) return runs
    if (!principalOf(request).isLive()) throw unauthenticated('The credential is not good any more.')
  }
}

function leaseRoute(api: Api, host: Host): void {
  api.route({
    method: 'POST',
    url: `${namespacePath}/queues/:queue/lease`,
    config: { bodyOptional: true, scope: 'runs:work' },
    schema: {
      tags,
      summary: 'Take runs to work on',
      description:
        'Waits up to `waitMs` for the first. A run whose lease lapses without ack, fail or heartbeat ' +
        'is handed out again.',
      params: inNamespace({ queue: nameParam }),
      body: LeaseBody,
      response: responses({ 200: LeaseJson }, 413, 415, 507),
    },
    handler: async (request) => {
      const runs = await lease(host, request, request.params, request.body)
      return { runs: runs.map(leasedJson) }
    },
  })
}

function accept(reply: LeaseReply): void {
  if (reply === 'unknown') throw notFound('run of this id')
  if (reply === 'lost') throw new ApiProblem('lease_lost')
}

function settleRoutes(api: Api, host: Host): void {
  const { queries } = host.app
  const settled = (namespace: string, runId: string, reply: LeaseReply) => {
    accept(reply)
    const run = queries.run(namespace, runId)
    if (run === undefined) throw notFound('run of this id')
    return { runId, status: run.status }
  }

  api.route({
    method: 'POST',
    url: `${namespacePath}/runs/:id/ack`,
    config: { scope: 'runs:work' },
    schema: {
      tags,
      summary: 'The run succeeded',
      params: byId,
      body: AckBody,
      response: responses({ 200: SettledJson }, 404, 409, 507),
    },
    handler: async ({ params: { namespace, id }, body }) =>
      settled(namespace, id, await intakeOf(host).ack(namespace, id, body.leaseToken)),
  })

  api.route({
    method: 'POST',
    url: `${namespacePath}/runs/:id/fail`,
    config: { scope: 'runs:work' },
    schema: {
      tags,
      summary: 'The run failed',
      description:
        'While attempts are left (`maxAttempts`) it is handed out again: at once, or after `retryInSeconds`. ' +
        'With `retryInSeconds: null` it has failed for good.',
      params: byId,
      body: FailBody,
      response: responses({ 200: SettledJson }, 404, 409, 507),
    },
    handler: async ({ params: { namespace, id }, body }) => {
      const { retryInSeconds = 0 } = body
      const retryInMs = retryInSeconds === null ? null : Math.round(retryInSeconds * 1_000)
      return settled(
        namespace,
        id,
        await intakeOf(host).fail(namespace, id, body.leaseToken, body.error ?? '', retryInMs),
      )
    },
  })
}

function heartbeatRoute(api: Api, host: Host): void {
  const { queries } = host.app
  api.route({
    method: 'POST',
    url: `${namespacePath}/runs/:id/heartbeat`,
    config: { scope: 'runs:work' },
    schema: {
      tags,
      summary: 'Still working: extend the lease',
      params: byId,
      body: HeartbeatBody,
      response: responses({ 200: HeartbeatJson }, 404, 409, 507),
    },
    handler: async ({ params: { namespace, id }, body }) => {
      const leaseMs = (body.leaseSeconds ?? defaultLeaseSeconds) * 1_000
      const { reply, cancelRequested } = await intakeOf(host).heartbeat(
        namespace,
        id,
        body.leaseToken,
        leaseMs,
      )
      accept(reply)
      const run = queries.run(namespace, id)
      return { runId: id, cancelRequested, leaseExpiresAt: isoOrNull(run?.leaseExpiresAt ?? null) }
    },
  })
}

import type { NodeStatus } from '@almanac/engine'
import { ClusterJson, HealthJson, isoOf, isoOrNull } from '@almanac/protocol'
import type { Api, ApiOptions, Host } from '../host.js'

const tags = ['operations']

type Operated = Pick<Host, 'app' | 'closing'>

/** Health, metrics, and who owns what. */
export function operationRoutes(api: Api, host: Operated, metrics: ApiOptions['metrics']): void {
  healthRoutes(api, host)
  clusterRoute(api, host)
  if (metrics !== undefined) metricsRoute(api, metrics)
}

/** What probes ask. */
export function healthRoutes(api: Api, host: Operated): void {
  api.route({
    method: 'GET',
    url: '/livez',
    config: { scope: 'public' },
    schema: { tags, summary: 'The process answers', response: { 200: HealthJson } },
    handler: async () => ({ status: 'ok' as const }),
  })

  api.route({
    method: 'GET',
    url: '/readyz',
    config: { scope: 'public' },
    schema: { tags, summary: 'The node can be worked with', response: { 200: HealthJson, 503: HealthJson } },
    handler: async (_, reply) => {
      const { ready, problem } = host.app.status()
      if (ready && problem === null && !host.closing()) return { status: 'ok' as const }
      reply.code(503).header('retry-after', '1')
      return { status: 'unavailable' as const, problem: host.closing() ? 'stopping' : problem }
    },
  })

  let hasStarted = false
  api.route({
    method: 'GET',
    url: '/startupz',
    config: { scope: 'public' },
    schema: { tags, summary: 'The node has started', response: { 200: HealthJson, 503: HealthJson } },
    handler: async (_, reply) => {
      const { ready, problem } = host.app.status()
      hasStarted ||= ready
      if (hasStarted) return { status: 'ok' as const }
      reply.code(503).header('retry-after', '1')
      return { status: 'unavailable' as const, problem }
    },
  })
}

export function clusterRoute(api: Api, host: Operated): void {
  api.route({
    method: 'GET',
    url: '/v1/cluster',
    config: { scope: 'cluster:read' },
    schema: { tags, summary: 'Nodes, partitions, owners, lag', response: { 200: ClusterJson } },
    handler: async () => clusterJson(host.app.status()),
  })
}

export function metricsRoute(api: Api, metrics: () => Promise<string>): void {
  api.route({
    method: 'GET',
    url: '/metrics',
    config: { scope: 'cluster:read' },
    schema: { tags, summary: 'Metrics in the Prometheus text format' },
    handler: async (_, reply) => {
      reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
      return metrics()
    },
  })
}

function clusterJson(status: NodeStatus): ClusterJson {
  const { cluster, partitions } = status
  const nodes = nodesOf(status)
  const head = Math.max(status.head, ...nodes.map(({ viewPosition }) => viewPosition))
  return {
    cluster,
    nodeId: status.nodeId,
    head,
    nodes: nodes.map((node) => ({
      ...node,
      owned: partitions.filter(({ owner }) => owner === node.nodeId).length,
      lag: head - node.viewPosition,
    })),
    tasks: { ...status.tasks },
    runs: { ...status.runs },
    counters: { ...status.counters },
    partitions: partitions.map((partition) => ({
      ...partition,
      cursorAt: isoOrNull(partition.cursorAt),
      evaluatedAt: isoOrNull(partition.evaluatedAt),
      nextDueAt: isoOrNull(partition.nextDueAt),
    })),
  }
}

/** This node as it is now, the others as they last told of themselves. */
function nodesOf(status: NodeStatus) {
  const { nodeId, engineVersion, members } = status
  const own = { nodeId, region: '', weight: 1, engineVersion }
  const known = members.some((member) => member.nodeId === nodeId) ? members : [...members, own]
  return known.flatMap((member) => {
    const report = member.nodeId === nodeId ? status : 'report' in member ? member.report : undefined
    if (report === undefined) return []
    const { startedAt, now, ready, problem, viewPosition } = report
    return [
      {
        nodeId: member.nodeId,
        region: member.region,
        weight: member.weight,
        version: member.engineVersion,
        startedAt: isoOf(startedAt),
        now: isoOf(now),
        ready,
        problem,
        viewPosition,
      },
    ]
  })
}

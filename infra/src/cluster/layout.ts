import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClusterOptions } from './options.js'

export interface NodeLayout {
  readonly name: string
  readonly role: 'all' | 'api'
  readonly url: string
  readonly port: number
  /** Probes and metrics. */
  readonly operationsPort: number
  readonly folder: string
  /** All that it is told. */
  readonly env: Readonly<Record<string, string>>
}

/** A server to start; null where one that is there already is used. */
export interface ServerLayout {
  readonly name: string
  readonly port: number
  readonly folder: string
}

/** What runs where. */
export interface ClusterLayout {
  readonly folder: string
  readonly kafka: ServerLayout | null
  readonly redis: readonly ServerLayout[]
  readonly double: ServerLayout | null
  readonly nodes: readonly NodeLayout[]
  readonly nodeProgram: string
  /** As the nodes are told. */
  readonly addresses: { readonly kafka: string; readonly redis: string; readonly eventLog: string }
}

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const host = '127.0.0.1'
export const clusterName = 'local'

export function layoutOf(options: ClusterOptions, folder = resolve(options.data)): ClusterLayout {
  const { port: base } = options
  const server = (name: string, port: number): ServerLayout => ({ name, port, folder: join(folder, name) })
  const kafka = options.kafka === null ? server('kafka', base + 10) : null
  const count = typeof options.redis === 'number' ? options.redis : 0
  const redis = Array.from({ length: count }, (_, index) => server(`redis-${index + 1}`, base + 20 + index))
  const double = options.eventLog === 'double' ? server('event-log', base + 30) : null
  const addresses = {
    kafka: kafka === null ? `${options.kafka}` : `${host}:${kafka.port}`,
    redis: count === 0 ? `${options.redis}` : redis.map(({ port }) => `redis://${host}:${port}`).join(),
    eventLog: eventLogAddress(options, folder, double),
  }
  const nodes = Array.from({ length: options.nodes + options.api }, (_, index): NodeLayout => {
    const role = index < options.nodes ? 'all' : 'api'
    const name = role === 'all' ? `node-${index + 1}` : `api-${index + 1 - options.nodes}`
    const place = { name, role, port: base + index, operationsPort: base + 40 + index } as const
    const node = { ...place, folder: join(folder, name), url: `http://${host}:${base + index}` }
    return { ...node, env: environmentOf(node, options, { addresses, folder }) }
  })
  const nodeProgram =
    options.nodeProgram === null
      ? join(repository, 'services/scheduler/bin/almanac-node.js')
      : resolve(options.nodeProgram)
  return { folder, kafka, redis, double, nodes, nodeProgram, addresses }
}

function eventLogAddress(options: ClusterOptions, folder: string, double: ServerLayout | null): string {
  if (double !== null) return `esdb://${host}:${double.port}?tls=false`
  return options.eventLog === 'sqlite' ? `sqlite:${join(folder, 'event-log')}` : options.eventLog
}

/** The key that secrets of webhooks are made with, in the cluster's folder. */
export const webhookKeyName = 'webhook.key'

const environmentOf = (
  node: Omit<NodeLayout, 'env' | 'url'>,
  options: ClusterOptions,
  { addresses, folder }: Pick<ClusterLayout, 'addresses' | 'folder'>,
): Readonly<Record<string, string>> => ({
  ALMANAC_ROLE: node.role,
  ALMANAC_NODE: node.name,
  ALMANAC_HOST: host,
  ALMANAC_PORT: `${node.port}`,
  ALMANAC_OPERATIONS_PORT: `${node.operationsPort}`,
  ALMANAC_DATA: join(node.folder, 'data'),
  ALMANAC_CLUSTER: clusterName,
  ALMANAC_PARTITIONS: `${options.partitions}`,
  ALMANAC_EVENTSTORE: addresses.eventLog,
  ALMANAC_KAFKA: addresses.kafka,
  ALMANAC_REDIS: addresses.redis,
  // One broker holds one copy.
  ...(options.kafka === null ? { ALMANAC_REPLICATION: '1' } : {}),
  ALMANAC_QUEUES: options.queues,
  ALMANAC_LEASE_TTL_SECONDS: `${options.leaseTtlSeconds}`,
  ALMANAC_WEBHOOK_KEY_FILE: join(folder, webhookKeyName),
  // To a receiver on this machine, to try them.
  ALMANAC_WEBHOOK_ALLOW: host,
  ALMANAC_WEBHOOK_HTTP: 'true',
})

/** Every port that must be free, with who wants it. */
export function portsOf(layout: ClusterLayout): readonly { readonly port: number; readonly who: string }[] {
  const { kafka, redis, double, nodes } = layout
  const servers = [kafka, ...redis, double].flatMap((server) => (server === null ? [] : [server]))
  return [
    ...servers.map(({ port, name }) => ({ port, who: name })),
    ...nodes.flatMap(({ port, operationsPort, name }) => [
      { port, who: name },
      { port: operationsPort, who: `${name}'s probes` },
    ]),
  ]
}

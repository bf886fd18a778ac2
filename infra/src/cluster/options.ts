import { parseArgs } from 'node:util'

/** What `npm run cluster` can be told. */
export interface ClusterOptions {
  /** Nodes that schedule and serve the API. @default 3 */
  readonly nodes: number
  /** Nodes beside them that only serve the API. @default 0 */
  readonly api: number
  /** Redis servers to start, or connection strings of servers that are there already. @default 1 */
  readonly redis: number | string
  /** `host:port` or `kafka://` of brokers that are there already; null: one is started. @default null */
  readonly kafka: string | null
  /** `double`, `sqlite`, or the `esdb://` of a server that is there already. @default 'double' */
  readonly eventLog: string
  /** Groups of tasks that are scheduled one by one; fixed when the folder is made. @default 16 */
  readonly partitions: number
  /** First port; the others follow from it. @default 7420 */
  readonly port: number
  /** Folder that everything is kept in. @default './.almanac-cluster' */
  readonly data: string
  /** Queues whose topics are made at the start. @default 'default' */
  readonly queues: string
  /** After this without a sign of life a node's partitions go to others. Seconds. @default 10 */
  readonly leaseTtlSeconds: number
  /** Deletes the folder first. @default false */
  readonly fresh: boolean
  /** The program of a node. @default the one of this repository */
  readonly nodeProgram: string | null
}

export type ParsedOptions =
  | { readonly kind: 'options'; readonly options: ClusterOptions }
  | { readonly kind: 'help' }
  /** One sentence for each thing that is wrong. */
  | { readonly kind: 'problems'; readonly problems: readonly string[] }

/** Each kind of server has ten ports. */
export const mostNodes = 9

const flags = {
  nodes: { type: 'string', default: '3' },
  api: { type: 'string', default: '0' },
  redis: { type: 'string', default: '1' },
  kafka: { type: 'string' },
  'event-log': { type: 'string', default: 'double' },
  partitions: { type: 'string', default: '16' },
  port: { type: 'string', default: '7420' },
  data: { type: 'string', default: './.almanac-cluster' },
  queues: { type: 'string', default: 'default' },
  'lease-ttl': { type: 'string', default: '10' },
  fresh: { type: 'boolean', default: false },
  'node-program': { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export function parseOptions(argv: readonly string[]): ParsedOptions {
  let given: ReturnType<typeof read>
  try {
    given = read(argv)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { kind: 'problems', problems: [`${why.split('. ')[0]}. --help lists the options.`] }
  }
  if (given.help) return { kind: 'help' }
  const problems: string[] = []
  const whole = (flag: 'nodes' | 'api' | 'partitions' | 'port' | 'lease-ttl', min: number, max: number) => {
    const value = /^\d{1,6}$/.test(given[flag]) ? Number(given[flag]) : Number.NaN
    if (value >= min && value <= max) return value
    problems.push(`--${flag} must be a whole number from ${min} to ${max}, not ${given[flag]}.`)
    return min
  }
  const options: ClusterOptions = {
    nodes: whole('nodes', 1, mostNodes),
    api: whole('api', 0, mostNodes - 1),
    redis: redisOf(given.redis, problems),
    kafka: given.kafka ?? null,
    eventLog: eventLogOf(given['event-log'], problems),
    partitions: whole('partitions', 1, 256),
    port: whole('port', 1_024, 65_000),
    data: given.data,
    queues: given.queues,
    leaseTtlSeconds: whole('lease-ttl', 2, 600),
    fresh: given.fresh,
    nodeProgram: given['node-program'] ?? null,
  }
  if (options.nodes + options.api > mostNodes)
    problems.push(`--nodes and --api come to ${options.nodes + options.api}; at most ${mostNodes} together.`)
  return problems.length > 0 ? { kind: 'problems', problems } : { kind: 'options', options }
}

const read = (argv: readonly string[]) => parseArgs({ args: [...argv], options: flags, strict: true }).values

function redisOf(text: string, problems: string[]): number | string {
  if (/^rediss?:\/\//.test(text)) return text
  if (/^[13579]$/.test(text)) return Number(text)
  problems.push(`--redis must be 1, 3, 5, 7 or 9 servers to start, or redis://host:port, not ${text}.`)
  return 1
}

function eventLogOf(text: string, problems: string[]): string {
  if (text === 'double' || text === 'sqlite' || /^esdb(\+discover)?:\/\//.test(text)) return text
  problems.push(`--event-log must be double, sqlite, or esdb://host:port, not ${text}.`)
  return 'double'
}

export const helpText = `A cluster on this machine: real Kafka, real Redis, the event log and the nodes, as processes.

  npm run cluster -- [options]

  --nodes N            nodes that schedule and serve the API (3)
  --api N              nodes beside them that only serve the API (0)
  --redis N            Redis servers to start: 1, or 3, 5, 7, 9 for Redlock over all of them (1)
  --redis redis://…    Redis servers that are there already, comma separated
  --kafka HOST:PORT    brokers that are there already; otherwise one is started
  --event-log double   the strict double of EventStoreDB as a process of its own, on SQLite (the default)
  --event-log sqlite   one SQLite file that all nodes open; no server
  --event-log esdb://… an EventStoreDB or KurrentDB that is there already
  --partitions N       groups of tasks; fixed when the folder is made (16)
  --queues A,B         queues whose topics are made at the start (default)
  --lease-ttl N        seconds after which a dead node's partitions go to others (10)
  --port N             first port (7420): nodes from N, Kafka N+10, Redis from N+20, event log N+30, and each
                       node's probes and metrics from N+40
  --data FOLDER        everything is kept here (./.almanac-cluster); the next start goes on from it
  --fresh              delete that folder first
  --node-program FILE  the program of a node, in place of services/scheduler/bin/almanac-node.js
  --help

It needs Java 17, Maven for the first start, and redis-server: \`sh infra/install.sh\` installs them on Debian.
Ctrl-C stops everything in order; twice ends it at once. Guide: docs/guides/cluster.md`

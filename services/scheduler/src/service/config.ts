import { environmentName, type OptionSources, type OptionValue, readOptions } from '@almanac/adapters/system'
import type { TargetPolicy } from '@almanac/adapters/webhooks'
import { accessOf, isAccessOption, type ServersAccess } from './access.js'
import { type Callers, callersOf, isCallerOption } from './callers.js'
import { options } from './options.js'
import { isWebhookOption, targetsOf } from './webhook-targets.js'

/** Everything that an Almanac process can be told, complete and checked. */
export interface ProcessConfig {
  /** Address to listen on. @default '127.0.0.1' */
  readonly host: string
  /** How who asks gets in. @default without credentials, on loopback, until there are keys */
  readonly callers: Callers
  /** Where webhooks may go. @default public addresses, TLS, port 443 */
  readonly webhookTargets: TargetPolicy
  /** File with the key that secrets of webhooks are made with. @default null */
  readonly webhookKeyFile: string | null
  /** TCP port; 0: any free one. @default 7420 */
  readonly port: number
  /** Folder of this process. @default './.almanac' */
  readonly data: string
  /** Groups of tasks; fixed at the first start. 1 to 256. @default 64 */
  readonly partitions: number
  /** Part of every run id; fixed at the first start. @default 'almanac' */
  readonly cluster: string
  /** Name of this process; null: one is made. @default null */
  readonly node: string | null
  /** Where this node stands. @default null */
  readonly region: string | null
  /** Decided later than this is late. Seconds. @default 2 */
  readonly misfireGraceSeconds: number
  /** How long finished runs and skips are kept. Days. @default 7 */
  readonly runRetentionDays: number
  /** How the database files are checked at the start. @default 'quick' */
  readonly check: 'none' | 'quick' | 'full'
  /** Start although acknowledged changes are missing. @default false */
  readonly acceptLoss: boolean
  /** One line of JSON per request on standard output. @default false */
  readonly accessLog: boolean
  /** Histograms and gauges, and traces. @default 'metrics' */
  readonly telemetry: 'off' | 'metrics' | 'on'
  /** Of the lines that a node writes. @default 'info' */
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  /** On all addresses, only health and metrics; null: none. @default null */
  readonly operationsPort: number | null
  /** What a node of a cluster does. @default 'all' */
  readonly role: 'all' | 'scheduler' | 'api'
  /** Its share of the partitions. @default 1 */
  readonly weight: number
  /** Home region by partition. @default none */
  readonly homeRegions: ReadonlyMap<number, string>
  /** How long membership and leases hold without renewal. Seconds. @default 10 */
  readonly leaseTtlSeconds: number
  /** Before the names of all topics; null: the cluster's name. @default null */
  readonly topicPrefix: string | null
  /** Replicas of each topic. @default 3 */
  readonly replication: number
  /** Queues whose topics are made at the start. @default ['default'] */
  readonly queues: readonly string[]
  /** What is done when a checkpoint is lost. @default 'replay' */
  readonly recovery: 'replay' | 'halt'
  /** Null: standalone. @default null */
  readonly servers: Servers | null
}

/** The servers that the nodes of a cluster share. */
export interface Servers {
  /** Addresses, which may have a user and a password in them. */
  readonly eventstore: string
  readonly kafka: string
  readonly redis: string
  /** What is not in the addresses. */
  readonly access: ServersAccess
}

export type ConfigResult =
  | { readonly ok: true; readonly config: ProcessConfig }
  /** Sentences, each naming where the wrong value came from. */
  | { readonly ok: false; readonly problems: readonly string[] }

/** Defaults, overlaid by the config file, the environment and the flags, in this order. Tells every problem at once. */
export function resolveConfig(sources: OptionSources): ConfigResult {
  const { values, problems } = readOptions(options, sources)
  const { callers, problems: callerProblems } = callersOf(values)
  const { access, problems: accessProblems } = accessOf(values)
  const { webhookTargets, problems: webhookProblems } = targetsOf(values)
  const servers = serversOf(values, access)
  const all = [
    ...problems,
    ...accessProblems,
    ...callerProblems,
    ...webhookProblems,
    ...(typeof servers === 'string' ? [servers] : []),
  ]
  if (all.length > 0 || typeof servers === 'string') return { ok: false, problems: all }
  const known = Object.fromEntries([...values].filter(([option]) => !isKept(option)))
  const { eventstore: _, kafka: __, redis: ___, ...rest } = known
  const config = {
    ...rest,
    host: values.get('host') === '[::1]' ? '::1' : values.get('host'),
    callers,
    webhookTargets,
    webhookKeyFile: values.get('webhookKeyFile'),
    homeRegions: homeRegionsIn(values.get('homeRegions')),
    queues: String(values.get('queues')).split(',').map(trimmed).filter(Boolean),
    servers,
  }
  return { ok: true, config: config as unknown as ProcessConfig }
}

/** Secrets, and how they are read, are in parts of their own. */
const isKept = (option: string): boolean =>
  isAccessOption(option) || isCallerOption(option) || isWebhookOption(option)

const trimmed = (text: string): string => text.trim()

/** A cluster needs all three; a sentence when some are missing. */
function serversOf(values: ReadonlyMap<string, OptionValue>, access: ServersAccess): Servers | null | string {
  const names = ['eventstore', 'kafka', 'redis']
  const missing = names.filter((name) => values.get(name) === null)
  if (missing.length === names.length) return null
  if (missing.length > 0) {
    const given = names.filter((name) => !missing.includes(name)).map(environmentName)
    return (
      `${given.join(' and ')} ${given.length > 1 ? 'are' : 'is'} set, so this is a node of a cluster: set ` +
      `${missing.map(environmentName).join(' and ')} too, or none of them to run standalone.`
    )
  }
  const of = (name: string) => String(values.get(name))
  return { eventstore: of('eventstore'), kafka: of('kafka'), redis: of('redis'), access }
}

/** `0-31=eu,40=us` */
function homeRegionsIn(value: OptionValue | undefined): ReadonlyMap<number, string> {
  const regions = new Map<number, string>()
  if (typeof value !== 'string') return regions
  for (const part of value.split(',')) {
    const [range = '', region = ''] = part.split('=')
    const [first = '', last = first] = range.split('-')
    for (let partition = Number(first); partition <= Number(last); partition++) regions.set(partition, region)
  }
  return regions
}

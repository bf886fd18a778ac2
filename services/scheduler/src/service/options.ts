import type { OptionSpec } from '@almanac/adapters/system'
import { accessOptions } from './access-options.js'
import { callerOptions } from './caller-options.js'
import { webhookOptions } from './webhook-options.js'

const name = { kind: 'text', pattern: /^[a-z0-9][a-z0-9-]{0,62}$/, form: '1 to 63 of a-z, 0-9, -' } as const

/**
 * Every option of an Almanac process: one table, from which the flags, the environment variables, the keys of the
 * config file, the help text and the reference page are made.
 */
export const options = {
  host: {
    kind: 'text',
    default: '127.0.0.1',
    description:
      'Address to listen on. Beyond loopback only with a bootstrap key, tokens, or keys that have been made.',
  },
  port: {
    kind: 'whole',
    min: 0,
    max: 65_535,
    default: 7420,
    description: 'TCP port to listen on; 0 takes any free one.',
  },
  data: {
    kind: 'text',
    default: './.almanac',
    description:
      'Folder of this process, made if it is not there; one process at a time. Standalone keeps everything in it, ' +
      'a node of a cluster only what it can build anew.',
  },
  partitions: {
    kind: 'whole',
    min: 1,
    max: 256,
    default: 64,
    description: 'Groups of tasks that are scheduled one by one. Fixed at the first start.',
  },
  cluster: {
    ...name,
    default: 'almanac',
    description: 'Name of this installation: part of every run id. Fixed at the first start.',
  },
  node: {
    ...name,
    default: null,
    description:
      'Name of this process in status, leases and history. Unset: `standalone`, or the name of the host in a cluster.',
  },
  region: { ...name, default: null, description: 'Where this node stands. Has no effect in standalone.' },
  misfireGraceSeconds: {
    kind: 'number',
    min: 0.1,
    max: 3_600,
    unit: 'seconds',
    default: 2,
    description: 'An occurrence that is decided later than this is late: its task’s catch-up policy decides.',
  },
  runRetentionDays: {
    kind: 'number',
    min: 0.01,
    max: 36_500,
    unit: 'days',
    default: 7,
    description: 'Finished runs and skips are forgotten after this. Totals and the task history stay.',
  },
  check: {
    kind: 'choice',
    of: ['none', 'quick', 'full'],
    default: 'quick',
    description: 'How the database files are checked at the start. `full` takes several times longer.',
  },
  acceptLoss: {
    kind: 'boolean',
    default: false,
    description:
      'Start although acknowledged changes are missing from the data folder, and go on without them. Standalone only.',
  },
  accessLog: {
    kind: 'boolean',
    default: false,
    description: 'Write one line of JSON to standard output for each request.',
  },
  telemetry: {
    kind: 'choice',
    of: ['off', 'metrics', 'on'],
    default: 'metrics',
    description:
      'Histograms and gauges on `/metrics`, and with `on` traces as well; both also go out by OTLP when ' +
      '`OTEL_EXPORTER_OTLP_ENDPOINT` is set.',
  },
  logLevel: {
    kind: 'choice',
    of: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    description: 'Least level of the lines of JSON that a node of a cluster writes to standard error.',
  },
  operationsPort: {
    kind: 'whole',
    min: 0,
    max: 65_535,
    default: null,
    description:
      'TCP port on all addresses that serves only `/livez`, `/readyz`, `/startupz` and `/metrics`, for probes and ' +
      'Prometheus. Unset: none.',
  },
  eventstore: {
    kind: 'text',
    secret: true,
    default: null,
    description:
      'The event log of a cluster: `esdb://…` or `esdb+discover://…`, or `sqlite:/folder`, which nodes of one host ' +
      'share. Set it together with `kafka` and `redis`: this makes the process a node of a cluster.',
  },
  kafka: {
    kind: 'text',
    secret: true,
    default: null,
    description:
      'Kafka: `host:port,host:port`, or `kafka://user:password@host:port?tls=true&sasl=scram-sha-512`.',
  },
  redis: {
    kind: 'text',
    secret: true,
    default: null,
    description:
      'Redis: `redis://host:port`, or `rediss://` for TLS; an odd number of independent servers, with commas ' +
      'between, for Redlock.',
  },
  ...callerOptions,
  ...webhookOptions,
  ...accessOptions,
  role: {
    kind: 'choice',
    of: ['all', 'scheduler', 'api'],
    default: 'all',
    description:
      'What a node of a cluster does: schedule and serve the API, or one of both. Health and metrics are always ' +
      'served.',
  },
  weight: {
    kind: 'number',
    min: 0.01,
    max: 100,
    default: 1,
    description: 'Share of the partitions in relation to other nodes of the cluster.',
  },
  homeRegions: {
    kind: 'text',
    pattern: /^\d+(-\d+)?=[a-z0-9-]+(,\d+(-\d+)?=[a-z0-9-]+)*$/,
    form: 'ranges of partitions with their regions, such as 0-31=eu,32-63=us',
    default: null,
    description:
      'Regions whose nodes come first for a partition, such as `0-31=eu,32-63=us`. The same on all nodes.',
  },
  leaseTtlSeconds: {
    kind: 'number',
    min: 1,
    max: 300,
    unit: 'seconds',
    default: 10,
    description:
      'How long membership and leases hold without renewal: a node that died is replaced after it.',
  },
  topicPrefix: {
    ...name,
    default: null,
    description:
      'Before the names of all topics and transactional ids in Kafka. Unset: the name of the cluster.',
  },
  replication: {
    kind: 'whole',
    min: 1,
    max: 9,
    default: 3,
    description: 'Replicas of each topic that is made at the start; never more than there are brokers.',
  },
  queues: {
    kind: 'text',
    default: 'default',
    description:
      'Queues whose topics are made at the start, with commas between. Those of tasks that name other queues are ' +
      'made when they are first needed.',
  },
  recovery: {
    kind: 'choice',
    of: ['replay', 'halt'],
    default: 'replay',
    description:
      'When a partition’s checkpoint is lost: go on from its mirror in the event log, with equal run ids marked ' +
      '`replayed`, or wait for a person.',
  },
} as const satisfies { readonly [name: string]: OptionSpec }

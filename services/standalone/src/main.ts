import { createRequire } from 'node:module'
import {
  DatabaseDamaged,
  FolderInUse,
  openStore,
  SchemaTooNew,
  type Store,
  TailLost,
} from '@almanac/adapters/sqlite'
import { systemClock, systemDigest, systemRandom } from '@almanac/adapters/system'
import { type RunningTelemetry, resolveTelemetry, startTelemetry } from '@almanac/adapters/telemetry'
import { buildApi } from '@almanac/api'
import { type Clock, defaultNodeOptions, LocalRateLimiter, Node, type Random } from '@almanac/engine'
import {
  accessFor,
  holdToFounding,
  listen,
  messageOf,
  once,
  type ProcessConfig,
  type Running,
  ratesFor,
  refuseUnentered,
  type StartCallbacks,
  StartProblem,
  unwind,
} from '@almanac/scheduler/service'

import { webhookAdapters } from './webhooks.js'

const require = createRequire(import.meta.url)
export const version: string = require('../package.json').version

/**
 * Starts everything in this process and resolves when it is ready: read models up to date, every partition owned.
 * The port is taken first, so that `/livez` answers while large read models are being built. Throws `StartProblem`
 * for what the user can mend.
 */
export async function startStandalone(
  config: ProcessConfig,
  callbacks: StartCallbacks = {},
): Promise<Running> {
  const clock = systemClock()
  const random = systemRandom()
  const onFatal = callbacks.onFatal ?? (() => {})
  const notice = callbacks.notice ?? (() => {})
  const { telemetry, metricsText: metrics, stop: stopTelemetry } = await openTelemetry(config, clock, notice)
  const undo: (() => Promise<unknown>)[] = [stopTelemetry]
  try {
    const store = open(config, { clock, random, onFatal, notice })
    undo.push(() => store.close())
    const { cluster, partitions } = config
    await holdToFounding(store.eventLog, clock, { cluster, partitions }, nodeIdOf(config))
    const webhooks = webhookAdapters(config, { store, clock, random, version })
    undo.push(async () => webhooks.close())
    const node = new Node(
      {
        log: store.eventLog,
        dispatchLog: store.dispatchLog,
        views: store.viewStore,
        runs: store.runStore,
        queue: store.runStore,
        clock,
        random,
        digest: systemDigest,
        telemetry,
        webhooks,
      },
      nodeOptions(config),
      {
        onProgress: callbacks.onProgress ?? (() => {}),
        onFault: (message, fault) => notice(`${message}: ${messageOf(fault)}`),
        onFatal,
      },
    )
    let ready = false
    const api = await buildApi({
      app: node,
      clock,
      random,
      access: accessFor(config.callers, clock),
      rates: ratesFor(config.callers, new LocalRateLimiter(clock)),
      instanceToken: random.token(4),
      version,
      telemetry,
      ...(metrics === undefined ? {} : { metrics }),
      ready: () => ready,
      onInternalError: (error, request) => notice(`${request.url} (${request.id}): ${stackOf(error)}`),
      ...(callbacks.accessLog === undefined ? {} : { accessLog: callbacks.accessLog }),
    })
    undo.push(() => api.close())
    const url = await listen(api, config)
    undo.splice(3, 0, () => node.stop())
    await node.start()
    refuseUnentered(config.callers, config.host, node.queries)
    ready = true
    return { url, stop: once(() => unwind(undo)) }
  } catch (error) {
    await unwind(undo)
    throw error
  }
}

async function openTelemetry(
  config: ProcessConfig,
  clock: Clock,
  notice: (message: string) => void,
): Promise<RunningTelemetry> {
  const { telemetry: mode, cluster, region } = config
  const known = { mode, nodeId: nodeIdOf(config), cluster, region: region ?? '', version }
  const resolved = resolveTelemetry(known, process.env)
  if (!resolved.ok) throw new StartProblem(resolved.problems.join('\n'))
  const onFault = (message: string, fault: unknown) => notice(`${message}: ${messageOf(fault)}`)
  return startTelemetry(resolved.config, { clock, onFault })
}

function open(
  config: ProcessConfig,
  parts: Pick<Parameters<typeof openStore>[0], 'clock' | 'onFatal' | 'notice'> & { readonly random: Random },
): Store {
  const { data: folder, check, acceptLoss } = config
  try {
    return openStore({ folder, check, acceptLoss, ...parts })
  } catch (error) {
    if (error instanceof TailLost) {
      const way =
        'Restore a backup, or start with --accept-loss (ALMANAC_ACCEPT_LOSS=true) to go on without it.'
      throw new StartProblem(`${error.message}\n${way}`, error)
    }
    if (error instanceof FolderInUse || error instanceof DatabaseDamaged || error instanceof SchemaTooNew) {
      throw new StartProblem(error.message, error)
    }
    throw new StartProblem(`${folder} cannot be opened (ALMANAC_DATA): ${messageOf(error)}`, error)
  }
}

const nodeIdOf = ({ node }: ProcessConfig): string => node ?? 'standalone'

const nodeOptions = (config: ProcessConfig) => ({
  ...defaultNodeOptions,
  cluster: config.cluster,
  nodeId: nodeIdOf(config),
  partitions: config.partitions,
  misfireGraceMs: Math.round(config.misfireGraceSeconds * 1_000),
  runRetentionMs: Math.round(config.runRetentionDays * 86_400_000),
  engineVersion: version,
  tzVersion: process.versions.tz ?? 'unknown',
})

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)

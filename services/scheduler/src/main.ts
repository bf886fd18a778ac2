import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { FolderInUse, lockFolder, lockPath, openViewStore } from '@almanac/adapters/sqlite'
import { AccessRefused, systemClock, systemDigest, systemRandom } from '@almanac/adapters/system'
import {
  createLogger,
  type Logger,
  type RunningTelemetry,
  resolveTelemetry,
  startTelemetry,
} from '@almanac/adapters/telemetry'
import type { TransactionLog } from '@almanac/adapters/transactions'
import { HttpWebhookCaller } from '@almanac/adapters/webhooks'
import { buildApi, buildOperations } from '@almanac/api'
import {
  type Clock,
  ClockGuard,
  clusterNodeOptions,
  createStop,
  Node,
  PortFault,
  type Random,
  type RateLimiter,
  type WebhookAdapters,
} from '@almanac/engine'
import { openEventLog } from './event-log.js'
import { openKafka } from './kafka.js'
import { openLeases, publishMarkers } from './redis.js'
import { openRuns } from './runs.js'
import {
  accessFor,
  accessProblem,
  holdToFounding,
  listen,
  messageOf,
  once,
  type ProcessConfig,
  type Running,
  ratesFor,
  refuseUnentered,
  type Servers,
  type StartCallbacks,
  StartProblem,
  unwind,
  webhookSecrets,
} from './service/index.js'

export const version: string = createRequire(import.meta.url)('../package.json').version

export interface NodeConfig extends ProcessConfig {
  /** A node of a cluster has all three. */
  readonly servers: Servers
}

/** What is outside of the process, where it is to be another one: tests move the clock, and get between the log. */
export interface NodeWorld {
  readonly clock?: Clock
  readonly random?: Random
  readonly wrapLog?: (log: TransactionLog) => TransactionLog
}

/**
 * Starts a node of a cluster in this process, and resolves when it is ready: read models up to date, known to the
 * other nodes. Its share of the partitions comes to it from then on. Throws `StartProblem` for what the user can mend.
 */
export async function startNode(
  config: NodeConfig,
  callbacks: StartCallbacks = {},
  world: NodeWorld = {},
): Promise<Running> {
  const undo: (() => Promise<unknown>)[] = []
  try {
    return await new Assembly(config, callbacks, world, undo).start()
  } catch (error) {
    await unwind(undo)
    throw error
  }
}

/** The parts of a node, and how each one is ended. */
class Assembly {
  private readonly config: NodeConfig
  private readonly callbacks: StartCallbacks
  private readonly world: NodeWorld
  private readonly undo: (() => Promise<unknown>)[]
  private readonly clock: Clock
  private readonly random: Random
  private readonly nodeId: string
  private readonly logger: Logger

  constructor(
    config: NodeConfig,
    callbacks: StartCallbacks,
    world: NodeWorld,
    undo: (() => Promise<unknown>)[],
  ) {
    this.config = config
    this.callbacks = callbacks
    this.world = world
    this.undo = undo
    this.clock = world.clock ?? systemClock()
    this.random = world.random ?? systemRandom()
    this.nodeId = config.node ?? nameOf(hostname())
    this.logger = createLogger({
      level: config.logLevel,
      node: this.nodeId,
      cluster: config.cluster,
      clock: this.clock,
      write: (line) => process.stderr.write(line),
    })
  }

  async start(): Promise<Running> {
    const { clock, random } = this
    this.openFolder()
    const telemetry = await this.openTelemetry()
    const guard = new ClockGuard(clock)
    const { log, eventLogId, views } = await this.openLog(guard)
    const kafka = this.openDispatch(guard, eventLogId)
    const leases = await this.openMembership()
    publishMarkers(views, leases.marker)
    const ended = createStop()
    let node: Node | undefined
    const isOwner = (partition: number) => node?.owns(partition) === true
    const runs = openRuns({ ...this.common(), kafka, isOwner, telemetry: telemetry.telemetry })
    this.undo.push(async () => runs.close())
    await this.reached('kafka', () => kafka.provision())
    const { membership } = leases
    const webhooks = this.openWebhooks()
    node = new Node(
      {
        log,
        dispatchLog: kafka.dispatchLog,
        views,
        runs: runs.reads,
        clock,
        random,
        digest: systemDigest,
        cluster: { membership, leases: leases.leases, guard },
        ...(webhooks === null ? {} : { webhooks }),
        telemetry: telemetry.telemetry,
      },
      this.nodeOptions(),
      {
        onProgress: this.callbacks.onProgress ?? (() => {}),
        onFault: this.onFault,
        onFatal: this.onFatal,
      },
    )
    const running = [kafka.dispatchLog.run(ended), runs.run(ended), leases.marker.run(ended)]
    for (const loop of running) loop.catch(this.onFatal)
    this.undo.push(async () => {
      ended.stop()
      await Promise.allSettled(running)
    })
    // Who takes a share without knowing the checkpoints only keeps others from going on.
    const mayStart = async () => {
      if (this.config.role === 'api') return
      await kafka.dispatchLog.ready(ended, patienceMs)
      kafka.refuseForeign()
    }
    return await this.serve(node, telemetry, leases.limiter, mayStart)
  }

  private async serve(
    node: Node,
    { telemetry, metricsText: metrics }: RunningTelemetry,
    limiter: RateLimiter,
    mayStart: () => Promise<void>,
  ): Promise<Running> {
    const { config, clock, random, undo, callbacks } = this
    let isReady = false
    const shown = { app: node, ...(metrics === undefined ? {} : { metrics }) }
    const { operationsPort } = config
    if (operationsPort !== null) {
      const operations = await buildOperations(shown)
      undo.push(() => operations.close())
      const address = { host: '0.0.0.0', port: operationsPort, portName: 'ALMANAC_OPERATIONS_PORT' }
      await listen(operations, address)
    }
    const serving = {
      ...shown,
      clock,
      random,
      access: accessFor(config.callers, clock),
      rates: ratesFor(config.callers, limiter),
      telemetry,
      instanceToken: random.token(4),
      version,
      ready: () => isReady,
      onInternalError: (error: unknown, request: { readonly id: string; readonly url: string }) =>
        this.logger.error(`${request.url} failed`, { error, requestId: request.id }),
      ...(callbacks.accessLog === undefined ? {} : { accessLog: callbacks.accessLog }),
    }
    const isScheduler = config.role === 'scheduler'
    const api = isScheduler
      ? await buildOperations({ ...shown, cluster: config.callers.isLocal })
      : await buildApi(serving)
    undo.push(() => api.close())
    const url = await listen(api, config)
    undo.push(() => node.stop())
    await mayStart()
    await node.start()
    if (!isScheduler) refuseUnentered(config.callers, config.host, node.queries)
    isReady = true
    // While partitions are handed over, probes and whoever waits for an answer are still served.
    const stop = once(async () => {
      isReady = false
      await unwind(undo)
    })
    return { url, stop }
  }

  private openFolder(): void {
    const { data } = this.config
    try {
      mkdirSync(data, { recursive: true, mode: 0o700 })
      const unlock = lockFolder(data, lockPath(data))
      this.undo.push(async () => unlock())
    } catch (error) {
      if (error instanceof FolderInUse) throw new StartProblem(error.message, error)
      throw new StartProblem(`${data} cannot be used (ALMANAC_DATA): ${messageOf(error)}`, error)
    }
  }

  private async openTelemetry() {
    const { config, nodeId, clock, onFault, undo } = this
    const { cluster, region, telemetry } = config
    const known = { mode: telemetry, nodeId, cluster, region: region ?? '', version }
    const resolved = resolveTelemetry(known, process.env)
    if (!resolved.ok) throw new StartProblem(resolved.problems.join('\n'))
    const started = await startTelemetry(resolved.config, { clock, onFault })
    undo.push(() => started.stop())
    return started
  }

  private async openLog(guard: ClockGuard) {
    const { config, nodeId, clock, undo, notice } = this
    const { cluster, partitions, data, check } = config
    const { eventstore: address, access } = config.servers
    const { log, close } = openEventLog({
      ...this.common(),
      address,
      access: access.eventstore,
      cluster,
      guard,
      onFatal: this.onFatal,
    })
    undo.push(close)
    const [id, position] = await this.reached('eventstore', async () => [
      await holdToFounding(log, clock, { cluster, partitions }, nodeId),
      await log.head(),
    ])
    const views = openViewStore({
      path: join(data, 'views.db'),
      log: { id, position },
      notice,
      check: check === 'none' ? 'none' : 'quick',
    })
    undo.push(async () => views.close())
    return { log, eventLogId: id, views }
  }

  private openDispatch(guard: ClockGuard, eventLogId: string) {
    const { config, nodeId, world } = this
    const wrapLog = world.wrapLog ?? ((log) => log)
    const { kafka: address, access } = config.servers
    const parts = { address, access: access.kafka, nodeId, eventLogId, guard, wrapLog }
    const kafka = openKafka({ ...this.common(), ...parts })
    this.undo.push(() => kafka.close())
    return kafka
  }

  private async openMembership() {
    const { servers, cluster } = this.config
    const { redis: url, access } = servers
    const leases = await openLeases({ ...this.common(), url, access: access.redis, cluster })
    this.undo.push(async () => leases.close())
    return leases
  }

  /** Null: nobody has given this node the key. */
  private openWebhooks(): WebhookAdapters | null {
    const { webhookKeyFile, webhookTargets: policy } = this.config
    if (webhookKeyFile === null) return null
    const secrets = webhookSecrets(webhookKeyFile, 'All nodes of a cluster have the same.')
    const caller = new HttpWebhookCaller({ secrets, policy, clock: this.clock, version })
    this.undo.push(async () => caller.close())
    return { caller }
  }

  /** Servers and nodes may be started in any order: what is not there yet is waited for. */
  private async reached<T>(server: 'eventstore' | 'kafka', work: () => Promise<T>): Promise<T> {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      try {
        return await work()
      } catch (fault) {
        // Nobody would look for a wrong password in the log of a node that waits.
        if (fault instanceof AccessRefused) throw new StartProblem(accessProblem(server, fault), fault)
        if (!(fault instanceof PortFault)) throw fault
        this.logger.warn(`Waiting for ${server === 'kafka' ? 'Kafka' : 'the event log'}`, { error: fault })
        await this.clock.sleep(waitMs)
      }
    }
  }

  private common() {
    const { config, clock, random, notice, onFault } = this
    return { config, clock, random, notice, onFault }
  }

  private nodeOptions() {
    const { config, nodeId } = this
    const leaseTtlMs = Math.round(config.leaseTtlSeconds * 1_000)
    return {
      ...clusterNodeOptions,
      cluster: config.cluster,
      nodeId,
      partitions: config.partitions,
      misfireGraceMs: Math.round(config.misfireGraceSeconds * 1_000),
      runRetentionMs: Math.round(config.runRetentionDays * 86_400_000),
      region: config.region ?? '',
      weight: config.role === 'api' ? 0 : config.weight,
      homeRegions: config.homeRegions,
      leaseTtlMs,
      // A node that goes waits until the others have heard: that must not take longer than it has for its end.
      renewEveryMs: Math.min(leaseTtlMs / 4, 2_500),
      recovery: config.recovery,
      engineVersion: version,
      tzVersion: process.versions.tz ?? 'unknown',
    }
  }

  private readonly notice = (message: string): void => {
    this.logger.info(message)
  }

  private readonly onFault = (message: string, fault: unknown): void => {
    this.logger.warn(message, { error: fault })
  }

  private readonly onFatal = (error: unknown): void => {
    this.logger.error('The node can not go on', { error })
    this.callbacks.onFatal?.(error)
  }
}

/** How long a node waits for the checkpoints of a partition that can't be read, when it has all others. */
const patienceMs = 10_000

const firstWaitMs = 250
const longestWaitMs = 5_000

/** What the name of a host has in common with that of a node. */
const nameOf = (host: string): string =>
  host
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 63) || 'node'

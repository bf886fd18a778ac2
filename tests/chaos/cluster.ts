import { join } from 'node:path'
import {
  freePorts,
  KafkaProxy,
  type KafkaServer,
  type RedisServer,
  startKafka,
  startRedis,
} from '@almanac/infra'
import { EventLogSource } from './event-log.js'
import type { ChaosWorld, Machine } from './faults/fault.js'
import { NodeHost } from './node-host.js'
import type { ChaosOptions } from './options.js'
import { Relay } from './relay.js'
import { ServerHost } from './server-host.js'

/** Names the cluster and everything that it has in Kafka. */
export const clusterName = 'chaos'
/** The queues that tasks of the workload use. */
export const queues = ['default', 'fast']

interface ClusterParts {
  readonly options: ChaosOptions
  /** Of everything that servers and nodes leave behind. */
  readonly folder: string
  readonly found: (rule: string, message: string) => void
  readonly say: (line: string) => void
}

interface Servers {
  readonly kafka: KafkaServer
  readonly leases: readonly RedisServer[]
  readonly eventLog: EventLogSource
}

/** Real servers, nodes as processes, and between them ways that can be broken one by one. */
export class ChaosCluster implements ChaosWorld {
  readonly machines: readonly Machine[]
  readonly kafka: ServerHost<KafkaServer>
  readonly leases: readonly ServerHost<RedisServer>[]
  readonly eventLog: ChaosWorld['eventLog']
  readonly source: EventLogSource
  private readonly parts: ClusterParts
  private readonly twinPorts: readonly number[]
  private readonly twins: NodeHost[] = []
  private readonly runListeners = new Set<() => void>()

  private constructor(
    parts: ClusterParts,
    servers: Servers,
    machines: readonly Machine[],
    twinPorts: readonly number[],
  ) {
    this.parts = parts
    this.machines = machines
    this.twinPorts = twinPorts
    this.source = servers.eventLog
    this.kafka = new ServerHost('broker', servers.kafka)
    this.leases = servers.leases.map((server, index) => new ServerHost(`redis-${index + 1}`, server))
    const { server } = servers.eventLog
    this.eventLog = server === undefined ? undefined : new ServerHost('event log', server)
  }

  /** Servers run when it resolves; nodes are started. What has been started when it throws is ended by `undo`. */
  static async start(parts: ClusterParts, undo: (() => Promise<unknown>)[]): Promise<ChaosCluster> {
    const { options, folder, say } = parts
    const names = [...Array.from({ length: options.nodes }, (_, index) => `node-${index + 1}`), 'api-1']
    const ports = await freePorts(names.length * 4)
    const part = (index: number) => ports.slice(index * names.length, (index + 1) * names.length)
    const [listenerPorts, proxyPorts, nodePorts, twinPorts] = [part(0), part(1), part(2), part(3)]
    say('Starting the broker, Redis and the event log')
    const kafka = await startKafka({
      folder: join(folder, 'kafka'),
      listeners: names.map((_, index) => ({
        port: listenerPorts[index] ?? 0,
        advertisedPort: proxyPorts[index] ?? 0,
      })),
      onProgress: say,
    })
    undo.push(() => kafka.kill())
    const leases: RedisServer[] = []
    for (let index = 1; index <= options.redis; index += 1) {
      const server = await startRedis({ folder: join(folder, `redis-${index}`) })
      undo.push(() => server.kill())
      leases.push(server)
    }
    const eventLog = await EventLogSource.start(options.eventLog, folder, clusterName)
    undo.push(() => eventLog.stop())
    const servers = { kafka, leases, eventLog }
    const machines: Machine[] = []
    for (const [index, name] of names.entries()) {
      const place = { name, port: nodePorts[index] ?? 0, proxyPort: proxyPorts[index] ?? 0, index }
      machines.push(await machineOf(parts, servers, place, undo))
    }
    const cluster = new ChaosCluster(parts, servers, machines, twinPorts)
    for (const { host } of machines) host.start()
    return cluster
  }

  get hosts(): readonly NodeHost[] {
    return this.machines.map(({ host }) => host)
  }

  found(rule: string, message: string): void {
    this.parts.found(rule, message)
  }

  twinOf(machine: Machine): NodeHost {
    const index = this.machines.indexOf(machine)
    const twin = machine.host.twin(`${machine.host.name}-twin`, this.twinPorts[index] ?? 0)
    this.twins.push(twin)
    return twin
  }

  onNextRun(call: () => void): () => void {
    this.runListeners.add(call)
    return () => void this.runListeners.delete(call)
  }

  /** A run is committed. */
  runSeen(): void {
    const calls = [...this.runListeners]
    this.runListeners.clear()
    for (const call of calls) call()
  }

  /** All ways are open again. */
  heal(): void {
    for (const { kafka, leases, eventLog } of this.machines) {
      kafka.heal()
      for (const relay of leases) relay.heal()
      eventLog?.heal()
    }
  }

  /** No process of a node is left when it resolves. */
  async end(): Promise<void> {
    await Promise.all([...this.hosts, ...this.twins].map((host) => host.end()))
  }
}

interface Place {
  readonly name: string
  readonly index: number
  readonly port: number
  readonly proxyPort: number
}

async function machineOf(
  { options, folder, found }: ClusterParts,
  { kafka, leases, eventLog }: Servers,
  { name, index, port, proxyPort }: Place,
  undo: (() => Promise<unknown>)[],
): Promise<Machine> {
  const target = kafka.listeners[index]
  if (target === undefined) throw new Error(`the broker has no listener for ${name}`)
  const proxy = await KafkaProxy.start({ target, port: proxyPort })
  undo.push(() => proxy.stop())
  const open = async (to: { readonly host: string; readonly port: number }) => {
    const relay = await Relay.open(to)
    undo.push(() => relay.close())
    return relay
  }
  const toLeases: Relay[] = []
  for (const server of leases) toLeases.push(await open(server))
  const toLog = eventLog.server === undefined ? undefined : await open(eventLog.server)
  const host = new NodeHost({
    name,
    nodeId: name,
    port,
    folder,
    isApi: name.startsWith('api'),
    imports: options.plant === undefined ? [] : [plantModule],
    onDied: (who, how) => found('died', `${who} ${how}`),
    env: {
      ALMANAC_CLUSTER: clusterName,
      ALMANAC_PARTITIONS: `${options.partitions}`,
      ALMANAC_KAFKA: `127.0.0.1:${proxyPort}`,
      ALMANAC_REDIS: toLeases.map((relay) => `redis://127.0.0.1:${relay.port}`).join(','),
      ALMANAC_EVENTSTORE: eventLog.address(toLog?.port),
      ALMANAC_REPLICATION: '1',
      ALMANAC_QUEUES: queues.join(','),
      ALMANAC_LEASE_TTL_SECONDS: `${options.leaseTtlMs / 1_000}`,
      ALMANAC_TELEMETRY: 'off',
      TZ: 'UTC',
      ...(options.plant === undefined ? {} : { ALMANAC_MUTANT: options.plant }),
    },
  })
  return { host, kafka: proxy, leases: toLeases, eventLog: toLog }
}

/** Edits the built code of a node while it is loaded, as `ALMANAC_MUTANT` names it. */
const plantModule = new URL('../../../packages/simulator/mutants/plant.mjs', import.meta.url).href

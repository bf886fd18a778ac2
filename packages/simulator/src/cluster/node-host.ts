import { BusyRuns } from '@almanac/adapters/ledger'
import { dispatchTopics, TransactionalDispatchLog } from '@almanac/adapters/transactions'
import {
  ClockGuard,
  type CommitOutcome,
  createStop,
  defaultNodeOptions,
  type MemoryViewStore,
  memoryViewStore,
  Node,
  type NodeOptions,
  type Stop,
  unavailable,
  type ViewStore,
} from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { Watch } from '../check/watch.js'
import { type KafkaModel, SimTransactionLog } from '../kafka/index.js'
import {
  type EventLogService,
  type LeaseService,
  SimEventLog,
  SimLeaseStore,
  SimMembership,
} from '../services/index.js'
import { type CallOptions, type Machine, newMachine, SimProcess, type SimWorld } from '../world/index.js'
import { type Aim, AimedProcess, type Shot } from './aim.js'
import type { Door } from './client.js'
import { countedLog } from './counted-log.js'
import { onDisk } from './full-disk.js'
import { feedRuns, type RunReader } from './run-feed.js'

/** Names of everything in Kafka begin with it. */
export const topicPrefix = 'sim'

/** The queues that tasks of the workload use. */
export const queues = ['default', 'fast']

export const runTopics: readonly string[] = queues.map((queue) =>
  dispatchTopics(topicPrefix).runs({ queue, exchange: null }),
)

export interface HostParts {
  readonly world: SimWorld
  readonly kafka: KafkaModel
  readonly eventLog: EventLogService
  readonly leases: LeaseService
  readonly reader: RunReader
  readonly watch: Watch
  /** A loop of the node has ended in an error, or it could not start. */
  readonly onFatal: (host: NodeHost, fault: unknown) => void
  readonly onOutcome: (outcome: CommitOutcome) => void
}

export interface HostOptions {
  /** Of the machine and of its processes on the network. */
  readonly name: string
  readonly node: Pick<NodeOptions, 'nodeId' | 'partitions' | 'maxDecisionsPerTick' | 'tzVersion'> &
    Partial<NodeOptions>
}

/** One process of a node, from its start to its end. */
interface Life {
  readonly process: SimProcess
  readonly node: Node
  readonly guard: ClockGuard
  readonly stop: Stop & { stop(): void }
  isReady: boolean
}

/** A machine that runs a node: its clock and its disk outlive the node's processes. */
export class NodeHost implements Door {
  readonly name: string
  readonly machine: Machine
  private readonly aims = new Set<Aim>()
  private readonly parts: HostParts
  private readonly options: HostOptions
  private views: MemoryViewStore = memoryViewStore()
  private life: Life | undefined

  constructor(parts: HostParts, options: HostOptions) {
    this.parts = parts
    this.options = options
    this.name = options.name
    this.machine = newMachine(parts.world)
  }

  get service(): string {
    return this.name
  }

  get nodeId(): string {
    return this.options.node.nodeId
  }

  /** It takes no share of the partitions. */
  get isApi(): boolean {
    return this.options.node.weight === 0
  }

  get tzVersion(): string {
    return this.options.node.tzVersion
  }

  get isUp(): boolean {
    return this.life?.process.isAlive === true
  }

  /** The running node; undefined while none runs. */
  get node(): Node | undefined {
    return this.isUp ? this.life?.node : undefined
  }

  get process(): SimProcess | undefined {
    return this.isUp ? this.life?.process : undefined
  }

  /** What is on its disk. */
  get disk(): ViewStore {
    return this.views
  }

  /** Starts a process, unless one is running. */
  start(): void {
    if (this.isUp) return
    const { world } = this.parts
    const process = new SimProcess(world, this.name, this.machine)
    const stop = createStop()
    const life = { process, stop, isReady: false, ...this.assemble(process, stop) }
    this.life = life
    life.node.start().then(
      () => {
        life.isReady = true
      },
      (fault: unknown) => this.parts.onFatal(this, fault),
    )
  }

  private assemble(process: SimProcess, stop: Stop): Pick<Life, 'node' | 'guard'> {
    const { world, kafka, eventLog, leases, onOutcome } = this.parts
    const aimed = new AimedProcess(world, process, (options) => this.shotAt(options), {
      sent: (options) => this.parts.watch.sent(this.nodeId, options),
      answered: ({ service, label }) => {
        if (service === eventLog.name && label === 'head') this.parts.watch.headAnswered(this.nodeId)
      },
    })
    const { clock, random } = process
    const guard = new ClockGuard(clock)
    const onFault = (what: string): void => world.count(`node: ${what.replace(/\d+/g, 'N')}`)
    const transactions = new TransactionalDispatchLog({
      log: new SimTransactionLog(aimed, kafka),
      clock,
      random,
      nodeId: this.nodeId,
      options: { prefix: topicPrefix },
      onServerTime: (serverTime, askedAt, answeredAt) =>
        guard.observe('kafka', serverTime, askedAt, answeredAt),
      onFault,
    })
    void transactions.run(stop)
    const dispatchLog = countedLog(transactions, onOutcome)
    const runs = new BusyRuns()
    if (!this.isApi) {
      const log = new SimTransactionLog(aimed, kafka, { maxWaitMs: feedWaitMs })
      const options = { prefix: topicPrefix }
      const { reader } = this.parts
      const feed = feedRuns({ log, clock, random, sink: runs, reader, runTopics, onFault, options }, stop)
      feed.catch((fault: unknown) => this.parts.onFatal(this, fault))
    }
    const cluster = {
      membership: new SimMembership(aimed, leases),
      leases: new SimLeaseStore(aimed, leases),
      guard,
    }
    const log = new SimEventLog(aimed, eventLog)
    const failing = world.fork(`disk of ${this.name} at ${world.actions}`)
    const node = new Node(
      {
        log,
        dispatchLog,
        views: onDisk(this.views, this.machine.disk, () => failing.next()),
        runs,
        clock,
        random,
        cluster,
      },
      { ...defaultNodeOptions, ...simulated, ...this.options.node },
      { onProgress: () => {}, onFault, onFatal: (fault) => this.parts.onFatal(this, fault) },
    )
    return { node, guard }
  }

  private shotAt(options: CallOptions): Shot | undefined {
    for (const aim of this.aims) {
      const shot = aim(options)
      if (shot !== undefined) return shot
    }
    return undefined
  }

  /** Hits single calls of this node, of this process and later ones, until the function that comes back is called. */
  aimAt(aim: Aim): () => void {
    this.aims.add(aim)
    return () => {
      this.aims.delete(aim)
    }
  }

  enter<T>(work: (node: Node, now: Instant) => Promise<T>): Promise<T> {
    const { life } = this
    if (life === undefined || !life.process.isAlive || !life.isReady) {
      throw unavailable(`${this.name} does not serve`)
    }
    return new Promise((resolve, reject) => {
      life.process.deliver(() => {
        this.parts.world.touch()
        work(life.node, life.guard.now()).then(resolve, reject)
      })
    })
  }

  /** The process ends at once. */
  kill(): void {
    this.life?.process.crash()
  }

  /** The process is asked to end, and has this long for it. */
  terminate(withinMs: number): void {
    const { life } = this
    if (life === undefined || !life.process.isAlive) return
    const { world } = this.parts
    life.isReady = false
    world.trace(`${this.name} is asked to end`)
    void life.node.stop().then(() => {
      life.stop.stop()
      life.process.crash()
    })
    world.after(withinMs, () => {
      if (life.process.isAlive) world.count('node: did not end when asked')
      life.process.crash()
    })
  }

  /** Copies the disk. The function that comes back puts the copy in its place, for the next start. */
  snapshot(): () => void {
    const copy = this.views.clone()
    return () => {
      this.views = copy
    }
  }

  /** The next start finds an empty disk. */
  wipe(): void {
    this.views = memoryViewStore()
  }
}

/** A broker keeps those who wait for runs waiting this long: they are many, and nothing hurries. */
const feedWaitMs = 5_000

const simulated = { cluster: 'sim', ticksAtOnce: 2, fenceEveryMs: 1_000, mirrorEveryMs: 30_000 }

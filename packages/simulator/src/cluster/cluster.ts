import { dispatchTopics } from '@almanac/adapters/transactions'
import { type CommitOutcome, createStop, type Random } from '@almanac/engine'
import type { AnswerRecord } from '@almanac/history'
import { Watch } from '../check/watch.js'
import { KafkaModel } from '../kafka/index.js'
import { EventLogService, LeaseService } from '../services/index.js'
import { newMachine, SimProcess, type SimWorld } from '../world/index.js'
import { Client } from './client.js'
import { waiting } from './draw.js'
import { NodeHost, runTopics, topicPrefix } from './node-host.js'
import { RunReader } from './run-feed.js'
import type { ClusterShape } from './shape.js'
import { Worker } from './worker.js'
import { Known, Workload } from './workload.js'

/** A whole cluster with its callers and workers, in one world. */
export class Cluster {
  readonly world: SimWorld
  readonly shape: ClusterShape
  readonly kafka: KafkaModel
  readonly eventLog: EventLogService
  readonly watch: Watch
  readonly leases: LeaseService
  readonly hosts: readonly NodeHost[]
  readonly workers: readonly Worker[]
  readonly answers: AnswerRecord[] = []
  /** What must not happen to a node: it gave up by itself. */
  readonly fatal: { readonly node: string; readonly at: number; readonly fault: unknown }[] = []
  /** How ticks' commits ended. */
  readonly commits = new Map<CommitOutcome, number>()
  /** A node that is left broken for good: nothing is expected of it. */
  lame: NodeHost | undefined
  /** Nodes that are not started again when they are down. */
  readonly keptDown = new Set<NodeHost>()
  private readonly reader = new RunReader()
  private readonly random: Random
  private readonly callers = createStop()

  /** `hasHonestLeases`: nothing will be wrong with the lease store and with the way to it. */
  constructor(world: SimWorld, shape: ClusterShape, hasHonestLeases = false) {
    this.world = world
    this.shape = shape
    this.random = world.fork('cluster')
    this.kafka = new KafkaModel(world)
    this.eventLog = new EventLogService(world)
    this.leases = new LeaseService(world)
    this.watch = new Watch({
      world,
      leases: this.leases,
      partitions: shape.partitions,
      transactionsOf: dispatchTopics(topicPrefix).transactionalId,
      isHonest: hasHonestLeases,
    })
    this.createTopics()
    this.hosts = shape.nodes.map((node) => this.hostOf(node))
    this.workers = Array.from(
      { length: shape.workers },
      (_, index) =>
        new Worker({ world, kafka: this.kafka, reader: this.reader, name: `worker-${index + 1}` }),
    )
  }

  private createTopics(): void {
    const { kafka, shape } = this
    const { checkpoints, skips, runEvents } = dispatchTopics(topicPrefix)
    const deleted = { policy: 'delete', retentionMs: shape.retentionMs } as const
    const compacted = { policy: 'compact', minCompactionLagMs: 60_000 } as const
    const timestamps = 'LogAppendTime'
    kafka.createTopic(checkpoints, { partitions: shape.partitions, cleanup: compacted, timestamps })
    kafka.createTopic(skips, { partitions: shape.partitions, cleanup: deleted, timestamps })
    for (const topic of [...runTopics, runEvents]) {
      kafka.createTopic(topic, { partitions: 2, cleanup: deleted, timestamps })
    }
  }

  /** A host that is not one of the cluster's own until it is started. */
  hostOf(node: ClusterShape['nodes'][number], name = node.nodeId): NodeHost {
    const { world, kafka, eventLog, leases, shape, reader, watch } = this
    const { partitions, maxDecisionsPerTick } = shape
    const onFatal = (host: NodeHost, fault: unknown): void => {
      this.fatal.push({ node: host.name, at: world.now, fault })
      host.kill()
    }
    const onOutcome = (outcome: CommitOutcome): void => {
      this.commits.set(outcome, (this.commits.get(outcome) ?? 0) + 1)
    }
    const parts = { world, kafka, eventLog, leases, reader, watch, onFatal, onOutcome }
    return new NodeHost(parts, { name, node: { ...node, partitions, maxDecisionsPerTick } })
  }

  /** Starts everything; nodes and workers that go down are started again. */
  start(): void {
    for (const one of [...this.hosts, ...this.workers]) this.supervise(one)
    this.startClients()
  }

  private supervise(one: NodeHost | Worker): void {
    const { world, random } = this
    const look = (): void => {
      const mayStart = !(one instanceof NodeHost && this.keptDown.has(one))
      if (!one.isUp && mayStart) one.start()
      // A crash is noticed, and the process started again, some seconds later.
      world.after(one.isUp ? 1_000 : waiting(random, 4_000), look)
    }
    world.after(random.next() * 500, look)
  }

  private startClients(): void {
    const { world, shape, hosts, callers } = this
    const known = new Known()
    const worldNow = () => world.now
    for (let index = 0; index < shape.clients; index++) {
      const name = `client-${index + 1}`
      const process = new SimProcess(world, name, newMachine(world))
      const onAnswer = (answer: AnswerRecord) => void this.answers.push(answer)
      const client = new Client({ process, doors: hosts, worldNow, onAnswer })
      const workload = new Workload({
        client,
        known,
        random: process.random,
        shape,
        worldNow,
        tasks: Math.ceil(shape.tasks / shape.clients),
        mass: index === 0 ? shape.mass : 0,
        prefix: name,
      })
      world.after(2_000, () => void workload.run(callers))
    }
  }

  /** No more commands; what is under way goes on. */
  stopClients(): void {
    this.callers.stop()
  }

  /** All nodes are asked to end, and none is started again. */
  stop(): void {
    for (const host of this.hosts) {
      this.keptDown.add(host)
      host.terminate(60_000)
    }
  }
}

import { dispatchTopics } from '@almanac/adapters/transactions'
import { type CommitOutcome, clusterNodeOptions, isOwnedHere, type NodeOptions } from '@almanac/engine'
import type { HistoryRecord } from '@almanac/history'
import type { Instant } from '@almanac/recurrence'
import { committedHistory, eventHistory } from '../check/collect.js'
import { Cluster } from '../cluster/cluster.js'
import { runTopics, topicPrefix } from '../cluster/node-host.js'
import type { ClusterShape, NodeShape } from '../cluster/shape.js'
import { SimWorld } from '../world/index.js'
import { Caller } from './caller.js'
import { Diary } from './diary.js'
import { Meter } from './meter.js'
import { restartedAtOnce, type ScaleSetting, thirdOf } from './setting.js'

/** What happens to nodes while it is measured. */
export type Upheaval = 'join' | 'leave' | 'kill' | 'kill a third' | 'rolling restart'

/** A stretch of time, and what was counted at its ends. */
export interface Window {
  readonly from: Instant
  readonly until: Instant
  readonly before: ReadonlyMap<string, number>
  readonly after: ReadonlyMap<string, number>
}

export interface UpheavalWindow extends Window {
  readonly what: Upheaval
  /** The nodes that should own partitions, one set after another. */
  readonly sets: readonly (readonly string[])[]
}

/** All that was seen of one cluster. */
export interface Measured {
  readonly setting: ScaleSetting
  /** Partitions by node, at rest. */
  readonly shares: readonly number[]
  readonly rest: Window
  readonly mass: Window
  readonly massIds: ReadonlySet<string>
  readonly effectMs: readonly number[]
  readonly upheavals: readonly UpheavalWindow[]
  readonly meter: Meter
  readonly diary: Diary
  readonly history: readonly HistoryRecord[]
  /** Commits of ticks by outcome. */
  readonly commits: ReadonlyMap<CommitOutcome, number>
  /** Nodes that gave up by themselves. */
  readonly fatal: number
  readonly simulatedMs: number
}

/** Runs one cluster without faults from its start to its end. Throws `WorldFailure`. */
export function measure(setting: ScaleSetting): Promise<Measured> {
  return new ScaleRun(setting).run()
}

class ScaleRun {
  private readonly setting: ScaleSetting
  private readonly world: SimWorld
  private readonly cluster: Cluster
  private readonly meter: Meter
  private readonly diary: Diary
  private readonly caller: Caller
  private readonly upheavals: UpheavalWindow[] = []
  private readonly massAt: Instant

  constructor(setting: ScaleSetting) {
    this.setting = setting
    this.world = new SimWorld({ seed: setting.seed, start: startAt, keptLines: 20 })
    this.cluster = new Cluster(this.world, shapeOf(setting))
    this.meter = new Meter(this.cluster)
    this.diary = new Diary(this.cluster)
    this.caller = new Caller(this.cluster, setting)
    this.massAt = startAt + settledMs + setting.restMs + changesMs
  }

  async run(): Promise<Measured> {
    const { setting, world, meter, diary, caller } = this
    await this.begin()
    const shares = this.shares()
    const rest = await this.watch(setting.restMs)
    const effectMs = await caller.timeChanges()
    await world.runUntil(this.massAt - beforeMassMs)
    const mass = await this.watch(massMs)
    await this.upheave()
    await world.runUntil(between(world.now + calmMs))
    return {
      setting,
      shares,
      rest,
      mass,
      massIds: caller.mass,
      effectMs,
      upheavals: this.upheavals,
      meter,
      diary,
      history: this.history(),
      commits: this.cluster.commits,
      fatal: this.cluster.fatal.length,
      simulatedMs: world.now - world.start,
    }
  }

  /** One node is there first, so that the others read all tasks in a few pages. */
  private async begin(): Promise<void> {
    const { world, cluster, diary, caller } = this
    const [first] = cluster.hosts
    if (first === undefined) throw new Error('A cluster has one node at least')
    diary.start([first])
    await world.runFor(firstMs)
    await caller.load(first, this.massAt)
    diary.start(this.hosts(1, this.setting.nodes))
    await world.runUntil(startAt + settledMs)
  }

  private hosts(from: number, until: number) {
    return this.cluster.hosts.slice(from, until)
  }

  private names(): readonly string[] {
    return this.cluster.hosts.filter(({ isUp }) => isUp).map(({ nodeId }) => nodeId)
  }

  private shares(): readonly number[] {
    return this.cluster.hosts.flatMap(({ node }) => {
      const owned = node?.status().partitions.filter(isOwnedHere)
      return owned === undefined ? [] : [owned.length]
    })
  }

  private async watch(ms: number, work = () => this.world.runFor(ms)): Promise<Window> {
    const { world, meter } = this
    const from = world.now
    const before = meter.read()
    await work()
    return { from, until: world.now, before, after: meter.read() }
  }

  private async upheave(): Promise<void> {
    const { world, diary, setting } = this
    const { nodes } = setting
    const joining = this.hosts(nodes, nodes + 1)
    const leaving = this.hosts(0, 1)
    const third = this.hosts(0, thirdOf(nodes))
    await this.upheaval('join', handOverMs, () => diary.start(joining))
    await this.upheaval('leave', leaveMs, () => diary.terminate(leaving))
    diary.start(leaving)
    await world.runFor(handOverMs)
    await this.upheaval('kill', killMs, () => diary.kill(joining))
    if (third.length > 0) {
      await this.upheaval('kill a third', killMs, () => diary.kill(third))
      diary.start(third)
      await world.runFor(handOverMs)
    }
    await this.rollingRestart()
  }

  private async upheaval(what: Upheaval, ms: number, work: () => void): Promise<void> {
    const before = this.names()
    const window = await this.watch(ms, async () => {
      work()
      await this.world.runFor(ms)
    })
    this.upheavals.push({ what, sets: [before, this.names()], ...window })
  }

  private async rollingRestart(): Promise<void> {
    const { world, diary, setting } = this
    const size = restartedAtOnce(setting.nodes)
    const all = this.names()
    const sets = [all]
    const window = await this.watch(0, async () => {
      for (let from = 0; from < setting.nodes; from += size) {
        const hosts = this.hosts(from, Math.min(from + size, setting.nodes))
        const ended = new Set(hosts.map(({ nodeId }) => nodeId))
        sets.push(
          all.filter((nodeId) => !ended.has(nodeId)),
          all,
        )
        await diary.restart(hosts)
        await world.runFor(handOverMs)
      }
    })
    this.upheavals.push({ what: 'rolling restart', sets, ...window })
  }

  private history(): readonly HistoryRecord[] {
    const { cluster, setting, world, upheavals } = this
    const { kafka, eventLog } = cluster
    const faults = upheavals.map(
      ({ from, what }) => ({ kind: 'fault', at: from, fault: what, detail: '' }) as const,
    )
    return [
      { ...meta, partitions: setting.partitions },
      ...eventHistory(eventLog.all()),
      ...committedHistory(kafka, dispatchTopics(topicPrefix), runTopics, (message) => {
        throw new Error(message)
      }),
      ...faults,
      { kind: 'healed', at: upheavals.at(-1)?.until ?? world.now },
      { kind: 'end', at: world.now },
    ]
  }
}

const meta = {
  kind: 'meta',
  version: 1,
  cluster: 'sim',
  misfireGraceMs: clusterNodeOptions.misfireGraceMs,
  maxDecisionsPerTick: clusterNodeOptions.maxDecisionsPerTick,
  earlyToleranceMs: 250,
  lateToleranceMs: 1_500,
  recoveryMs: 1_000,
  source: 'scale',
} as const

function shapeOf({ seed, nodes, partitions }: ScaleSetting): ClusterShape {
  return {
    seed,
    startAt,
    zone: 'UTC',
    nodes: Array.from({ length: nodes + 1 }, (_, index) => nodeOf(index + 1)),
    partitions,
    tasks: 0,
    mass: 0,
    clients: 0,
    workers: 0,
    maxDecisionsPerTick: clusterNodeOptions.maxDecisionsPerTick,
    retentionMs: 86_400_000,
    commandEveryMs: 1_000,
    faultMs: 0,
    calmMs: 0,
  }
}

/** As in production, and not as often as in worlds that last minutes. */
const nodeOf = (number: number): NodeShape & Partial<NodeOptions> => ({
  nodeId: `node-${number}`,
  weight: 1,
  region: '',
  homeRegions: new Map(),
  tzVersion: '2026a',
  fenceEveryMs: clusterNodeOptions.fenceEveryMs,
  mirrorEveryMs: clusterNodeOptions.mirrorEveryMs,
})

/** The next instant at which no task is due, and none was a moment ago: what ticks commit is whole there. */
const between = (at: Instant): Instant => Math.ceil(at / 1_000) * 1_000 + 500

const startAt: Instant = Date.parse('2026-03-03T12:00:00Z')
/** Until the first node serves. */
const firstMs = 3_000
/** From the start, until all tasks and nodes are there and every partition is where it belongs; no whole second. */
const settledMs = 24_500
/** Time for the changes that are timed. */
const changesMs = 15_000
const beforeMassMs = 500
const massMs = 5_000
/** A node that came has its partitions by then: it has settled, and two renewals have passed. */
const handOverMs = 14_000
const leaveMs = 6_000
/** Membership and leases have run out by then, and have been taken. */
const killMs = 16_000
const calmMs = 10_000

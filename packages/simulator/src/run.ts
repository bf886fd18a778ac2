import { dispatchTopics } from '@almanac/adapters/transactions'
import { defaultNodeOptions } from '@almanac/engine'
import { checkHistory, type HistoryRecord } from '@almanac/history'
import { committedHistory, eventHistory } from './check/collect.js'
import { type Finding, findingOf, LiveChecks } from './check/live.js'
import { RetentionWatch } from './check/retention.js'
import { Cluster } from './cluster/cluster.js'
import { chance, pick } from './cluster/draw.js'
import { runTopics, topicPrefix } from './cluster/node-host.js'
import { type ClusterShape, drawShape, type ShapeOptions } from './cluster/shape.js'
import { drawFaults, type FaultChoice, type FaultName, hasHonestLeases, Nemesis } from './faults/nemesis.js'
import { SimWorld, WorldFailure } from './world/index.js'

export interface SeedOptions extends ShapeOptions, FaultChoice {
  /**
   * How many of the last lines of the trace the report has, whatever the seed comes to. Default: 40 when its world has
   * failed, else none.
   */
  readonly traceLines?: number
}

/** What became of one seed. */
export interface SeedReport {
  readonly seed: number
  readonly ok: boolean
  readonly findings: readonly Finding[]
  /** Equal for two runs of one seed with the same options. */
  readonly traceHash: string
  readonly simulatedMs: number
  /** Of that, the phase with faults. */
  readonly faultMs: number
  readonly actions: number
  readonly events: number
  readonly runs: number
  readonly takeovers: number
  /** Commits of ticks by outcome. */
  readonly commits: ReadonlyMap<string, number>
  /** How often each kind of fault was done. */
  readonly faults: ReadonlyMap<FaultName, number>
  readonly eventTypes: ReadonlyMap<string, number>
  readonly history: readonly HistoryRecord[]
  /** The last lines of the trace: true time since the start in ms, and what happened. */
  readonly tail: readonly string[]
}

/** Runs one seed from its first action to its last, and judges it. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedReport> {
  const shape = drawShape(seed, options)
  const { traceLines } = options
  const world = new SimWorld({ seed, start: shape.startAt, keptLines: traceLines ?? 40 })
  const drawn = drawFaults((name) => world.fork(name), options)
  const cluster = new Cluster(world, shape, hasHonestLeases(drawn))
  const nemesis = new Nemesis(cluster, drawn)
  const checks = new LiveChecks(cluster)
  let hasFailed = false
  let end = world.now
  try {
    end = await play(cluster, nemesis, checks)
  } catch (failure) {
    if (!(failure instanceof WorldFailure)) throw failure
    checks.found('world-failure', causeOf(failure))
    hasFailed = true
    end = world.now
  }
  checks.fatal()
  const history = historyOf(cluster, nemesis, end, (message) => checks.found('unreadable', message))
  checks.watched(history, defaultNodeOptions.staleLimitMs)
  const judged = checkHistory(history)
  const findings = [...checks.findings, ...judged.violations.map(findingOf)]
  const events = cluster.eventLog.all()
  return {
    seed,
    ok: findings.length === 0,
    findings,
    traceHash: world.traceHash(),
    simulatedMs: world.now - world.start,
    faultMs: shape.faultMs,
    actions: world.actions,
    events: events.length,
    runs: judged.counts.runs,
    takeovers: judged.counts.takeovers,
    commits: cluster.commits,
    faults: nemesis.counts,
    eventTypes: countedBy(events, ({ type }) => type),
    history,
    tail: hasFailed || traceLines !== undefined ? world.tail() : [],
  }
}

/** Faults, then none, then a look at what has become of it. Answers when the watch ended. */
async function play(cluster: Cluster, nemesis: Nemesis, checks: LiveChecks): Promise<number> {
  const { world, shape } = cluster
  const random = world.fork('checks')
  cluster.start()
  new RetentionWatch(cluster, (message) => checks.found('deleted-early', message)).start()
  // Most seeds have their tasks before anything breaks.
  await world.runFor(chance(random, 0.2) ? 0 : warmUpMs)
  nemesis.start(shape.faultMs)
  await world.runFor(shape.faultMs / 2)
  checks.viewsOf(pick(random, cluster.hosts))
  await world.runFor(shape.faultMs / 2)
  nemesis.heal()
  checks.viewsOf(pick(random, cluster.hosts))
  await world.runFor(shape.calmMs - quietMs)
  cluster.stopClients()
  await world.runFor(quietMs - settleMs)
  const chores = checks.chores()
  const settled = cluster.eventLog.all().length
  await world.runFor(settleMs)
  checks.choresLeft(chores)
  checks.atEnd(settled, defaultNodeOptions.idleCheckpointMs)
  const end = world.now
  cluster.stop()
  await world.runFor(endingMs)
  checks.allEnded()
  return end
}

function historyOf(
  cluster: Cluster,
  nemesis: Nemesis,
  end: number,
  onUnreadable: (message: string) => void,
): readonly HistoryRecord[] {
  const { shape, eventLog, kafka } = cluster
  return [
    metaOf(shape),
    ...eventHistory(eventLog.all()),
    ...cluster.answers,
    ...committedHistory(kafka, dispatchTopics(topicPrefix), runTopics, onUnreadable),
    ...nemesis.history,
    { kind: 'end', at: end },
  ]
}

const metaOf = ({ seed, partitions, maxDecisionsPerTick, tasks, mass }: ClusterShape): HistoryRecord => ({
  kind: 'meta',
  version: 1,
  cluster: 'sim',
  partitions,
  misfireGraceMs: defaultNodeOptions.misfireGraceMs,
  maxDecisionsPerTick,
  earlyToleranceMs: 250,
  // Of what is due at one instant, each tick takes a part.
  lateToleranceMs: 1_500 + Math.ceil((tasks + mass) / maxDecisionsPerTick) * tickMs,
  recoveryMs: 90_000,
  source: `simulator seed ${seed}`,
})

const causeOf = ({ message, cause }: WorldFailure): string =>
  cause instanceof Error ? `${message}\n${cause.stack ?? ''}` : message

function countedBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1)
  return counts
}

/** From one tick of a partition to the next, as long as there is more. */
const tickMs = 100
const warmUpMs = 20_000
/** At the end nobody sends commands any more. */
const quietMs = 60_000
/** What a node has to do by itself is done within this. */
const settleMs = 5_000
/** A node that is asked to end does so within this. */
const endingMs = 15_000

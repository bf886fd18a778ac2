import { dispatchTopics } from '@almanac/adapters/transactions'
import { checkHistory, type HistoryRecord } from '@almanac/history'
import { committedHistory, eventHistory } from './check/collect.js'
import { Cluster } from './cluster/cluster.js'
import { runTopics, topicPrefix } from './cluster/node-host.js'
import { drawShape, type ShapeOptions } from './cluster/shape.js'
import { drawFaults, type FaultChoice, Nemesis } from './faults/nemesis.js'
import { SimWorld } from './world/index.js'

export async function trySeed(seed: number, options: ShapeOptions & FaultChoice = {}) {
  const shape = drawShape(seed, options)
  const world = new SimWorld({ seed, start: shape.startAt })
  const cluster = new Cluster(world, shape)
  const nemesis = new Nemesis(
    cluster,
    drawFaults((name) => world.fork(name), options),
  )
  cluster.start()
  nemesis.start(shape.faultMs)
  await world.runFor(shape.faultMs)
  nemesis.heal()
  await world.runFor(shape.calmMs - 60_000)
  cluster.stopClients()
  await world.runFor(60_000)
  const end = world.now
  for (const host of cluster.hosts) host.terminate(20_000)
  await world.runFor(5_000)
  const history: HistoryRecord[] = [
    {
      kind: 'meta',
      version: 1,
      cluster: 'sim',
      partitions: shape.partitions,
      misfireGraceMs: 2_000,
      maxDecisionsPerTick: shape.maxDecisionsPerTick,
      earlyToleranceMs: 250,
      lateToleranceMs: 5_000,
      recoveryMs: 90_000,
      source: `simulator seed ${seed}`,
    },
    ...eventHistory(cluster.eventLog.all()),
    ...cluster.answerHistory(),
    ...committedHistory(cluster.kafka, dispatchTopics(topicPrefix), runTopics),
    ...nemesis.history,
    { kind: 'end', at: end },
  ]
  return { world, cluster, nemesis, history, report: checkHistory(history) }
}

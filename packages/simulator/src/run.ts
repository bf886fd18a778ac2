import { dispatchTopics } from '@almanac/adapters/transactions'
import { checkHistory, type HistoryRecord } from '@almanac/history'
import { committedHistory, eventHistory } from './check/collect.js'
import { Cluster } from './cluster/cluster.js'
import { runTopics, topicPrefix } from './cluster/node-host.js'
import { drawShape, type ShapeOptions } from './cluster/shape.js'
import { SimWorld } from './world/index.js'

export async function trySeed(seed: number, options: ShapeOptions = {}) {
  const shape = drawShape(seed, options)
  const world = new SimWorld({ seed, start: shape.startAt })
  const cluster = new Cluster(world, shape)
  cluster.start()
  await world.runFor(shape.faultMs + shape.calmMs)
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
    { kind: 'end', at: world.now },
  ]
  return { world, cluster, history, report: checkHistory(history) }
}

import { dispatchTopics } from '@almanac/adapters/transactions'
import type { Cluster } from '../cluster/cluster.js'
import { between, chance, pick, whole } from '../cluster/draw.js'
import { runTopics, topicPrefix } from '../cluster/node-host.js'
import { defaultTuning } from '../kafka/index.js'
import { type Fault, runningHost } from './fault.js'

const topics = dispatchTopics(topicPrefix)

/** What can be wrong with the brokers, and with what they are asked. */
export const kafkaFaults = {
  'broker-crash': {
    everyMs: 90_000,
    lastsMs: [500, 25_000],
    strike({ kafka }) {
      kafka.crash()
      return { detail: 'all brokers', end: () => kafka.restart() }
    },
  },
  'kafka-down': {
    everyMs: 200_000,
    lastsMs: [30_000, 200_000],
    isRare: true,
    strike({ kafka }) {
      kafka.crash()
      return { detail: 'all brokers, for long', end: () => kafka.restart() }
    },
  },
  'coordinator-move': {
    everyMs: 30_000,
    lastsMs: [200, 8_000],
    strike({ kafka, shape }, random, lastsMs) {
      const isOne = chance(random, 0.5)
      const id = isOne ? topics.transactionalId(whole(random, 0, shape.partitions - 1)) : 'all'
      kafka.moveCoordinator(id, lastsMs)
      return { detail: `${id} for ${lastsMs} ms` }
    },
  },
  /** A commit is done, and its answer never comes. */
  'commit-unknown': {
    everyMs: 30_000,
    lastsMs: [2_000, 30_000],
    strike(cluster, random) {
      const host = runningHost(cluster, random)
      if (host === undefined) return undefined
      const kind = pick(random, ['answer-lost', 'request-lost'] as const)
      const rate = between(random, 0.05, 0.5)
      const end = host.aimAt(({ label }) =>
        label === 'EndTxn' && chance(random, rate) ? { kind } : undefined,
      )
      return { detail: `${host.name}: ${kind}`, end }
    },
  },
  /** The end of a transaction arrives long after its sender has given up, maybe in a later one's time. */
  'endtxn-delayed': {
    everyMs: 40_000,
    lastsMs: [2_000, 30_000],
    strike(cluster, random) {
      const host = runningHost(cluster, random)
      if (host === undefined) return undefined
      const end = host.aimAt(({ label }) =>
        label === 'EndTxn' && chance(random, 0.2)
          ? { kind: 'delayed', ms: between(random, 50, 35_000) }
          : undefined,
      )
      return { detail: host.name, end }
    },
  },
  'markers-slow': {
    everyMs: 60_000,
    lastsMs: [5_000, 60_000],
    strike({ kafka }, random) {
      kafka.tuning.slowMarkerRate = between(random, 0.1, 0.8)
      kafka.tuning.slowMarkerMs = between(random, 100, 4_000)
      return {
        detail: `up to ${Math.round(kafka.tuning.slowMarkerMs)} ms`,
        end: () => {
          const { slowMarkerRate, slowMarkerMs } = defaultTuning
          Object.assign(kafka.tuning, { slowMarkerRate, slowMarkerMs })
        },
      }
    },
  },
  /** Producer ids run out of epochs after a few claims. */
  'epochs-run-out': {
    everyMs: 60_000,
    lastsMs: [30_000, 200_000],
    strike({ kafka }, random) {
      kafka.tuning.lastEpoch = whole(random, 2, 6)
      return {
        detail: `after ${kafka.tuning.lastEpoch}`,
        end: () => {
          kafka.tuning.lastEpoch = defaultTuning.lastEpoch
        },
      }
    },
  },
  /** Somebody else's transaction that nobody ends holds readers up, until an operator aborts it. */
  'hanging-transaction': {
    everyMs: 120_000,
    lastsMs: [2_000, 40_000],
    strike({ kafka, shape }, random) {
      const isRuns = chance(random, 0.6)
      const topic = isRuns ? pick(random, runTopics) : topics.checkpoints
      const partition = whole(random, 0, isRuns ? 1 : shape.partitions - 1)
      return { detail: `${topic}/${partition}`, end: kafka.hangTransaction({ topic, partition }) }
    },
  },
  compaction: {
    everyMs: 40_000,
    lastsMs: [0, 0],
    strike({ kafka }) {
      kafka.compact(kafka.now, 0)
      return { detail: 'whatever is old enough' }
    },
  },
  retention: {
    everyMs: 60_000,
    lastsMs: [0, 0],
    strike({ kafka }) {
      kafka.retain(kafka.now)
      return { detail: 'whatever is old enough' }
    },
  },
  'checkpoints-emptied': {
    everyMs: 300_000,
    lastsMs: [0, 0],
    isRare: true,
    strike(cluster) {
      emptyWhenQuiet(cluster)
      return { detail: topics.checkpoints }
    },
  },
} as const satisfies { readonly [name: string]: Fault }

/**
 * While no transaction is open there: a checkpoint that is deleted before anybody could read it is in no history, and
 * would seem never to have been.
 */
function emptyWhenQuiet(cluster: Cluster): void {
  const answer = cluster.kafka.listOffsets(topics.checkpoints)
  const isQuiet =
    answer.ok &&
    answer.value.every(({ lastStableOffset, highWatermark }) => lastStableOffset === highWatermark)
  if (isQuiet) cluster.kafka.emptyTopic(topics.checkpoints)
  else cluster.world.after(5, () => emptyWhenQuiet(cluster))
}

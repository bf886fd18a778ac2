import { transactionLogContract } from '@almanac/adapters/transactions/contract'
import { SimProcess, SimWorld } from '../world/index.js'
import { CommitFaults } from './commit-faults.spec-support.js'
import { KafkaModel, SimTransactionLog, type TopicConfig } from './index.js'

const compacted = (partitions: number): TopicConfig => ({
  partitions,
  cleanup: { policy: 'compact', minCompactionLagMs: 0 },
  timestamps: 'LogAppendTime',
})

let seed = 0

transactionLogContract('model of Kafka', async () => {
  seed += 1
  const world = new SimWorld({ seed })
  const kafka = new KafkaModel(world, { slowMarkerRate: 0.05 })
  const faults = new CommitFaults()
  let nodes = 0
  const client = () => {
    nodes += 1
    return new SimTransactionLog(faults.over(new SimProcess(world, `node-${nodes}`)), kafka)
  }
  const normal = kafka.tuning.markerMinMs
  return {
    log: client(),
    otherLog: client,
    pass: (ms) => world.runFor(ms),
    createTopic: async (topic, partitions) => kafka.createTopic(topic, compacted(partitions)),
    hooks: {
      loseNextCommitAnswer: () => faults.lose('answer lost'),
      loseNextCommitRequest: () => faults.lose('request lost'),
      holdNextCommit: () => faults.hold(),
      delayNextMarkers: (ms) => {
        Object.assign(kafka.tuning, { markerMinMs: ms, markerMaxMs: ms })
        world.after(ms / 2, () => Object.assign(kafka.tuning, { markerMinMs: normal, markerMaxMs: normal }))
      },
      compact: async () => kafka.compact(kafka.now, 0),
      restart: async () => {
        kafka.crash()
        kafka.restart()
      },
      serverTimeoutMs: 21_000,
    },
    close: async () => {},
  }
}, [
  'loseNextCommitAnswer',
  'loseNextCommitRequest',
  'holdNextCommit',
  'delayNextMarkers',
  'compact',
  'restart',
  'serverTimeoutMs',
])

import { transactionLogContract } from '@almanac/adapters/transactions/contract'
import { type CallOptions, type Process, type Serve, SimProcess, SimWorld } from '../world/index.js'
import { KafkaModel, SimTransactionLog, type TopicConfig } from './index.js'

/** What is to be done to the next `EndTxn` of any process. */
class CommitFaults {
  private next: 'answer lost' | 'request lost' | 'held' | 'none' = 'none'
  private release = () => {}

  lose(what: 'answer lost' | 'request lost'): void {
    this.next = what
  }

  hold(): () => void {
    this.next = 'held'
    return () => this.release()
  }

  /** The process, with its next commit going wrong. */
  over(process: Process): Process {
    return Object.create(process, {
      call: {
        value: <T>(options: CallOptions, serve: Serve<T>): Promise<T> =>
          process.call(options, options.label === 'EndTxn' ? this.meddle(serve) : serve),
      },
    })
  }

  private meddle<T>(serve: Serve<T>): Serve<T> {
    const fault = this.next
    this.next = 'none'
    if (fault === 'none') return serve
    return () =>
      new Promise((resolve) => {
        if (fault === 'answer lost') void serve()
        if (fault === 'held') this.release = () => resolve(serve())
      })
  }
}

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

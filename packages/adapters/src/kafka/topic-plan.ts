import { dispatchTopics } from '../transactions/index.js'

/** How a cluster's topics are made. */
export interface KafkaTopicsOptions {
  /** Before the names of all topics of the cluster. */
  readonly prefix: string
  /** Of the scheduler: topics that belong to its partitions have as many. Never changes. */
  readonly partitions: number
  /** Brokers that have a copy of each partition. @default 3 */
  readonly replication?: number
  /** Brokers that must have a record before it counts as written. @default 2, or `replication` if that is less */
  readonly minInSyncReplicas?: number
  /** Partitions of a queue's or an exchange's topic. One that is there may have more. @default `partitions` */
  readonly runPartitions?: number
  /** How long runs, skips and run events are kept. @default 7 days */
  readonly retentionMs?: number
  /**
   * So long every checkpoint is kept, whether it is the last or not: what happened in that time can be looked into. A
   * node reads it all when it starts. @default 1 day
   */
  readonly checkpointLagMs?: number
}

/** A topic as it should be. */
export interface PlannedTopic {
  readonly topic: string
  readonly partitions: number
  /** True where keys and partitions have nothing to do with those of the scheduler. */
  readonly mayHaveMore: boolean
  readonly replication: number
  readonly settings: Readonly<Record<string, string>>
}

/** What a topic that is there must have where it is planned; the rest is left to who runs the brokers. */
export const checkedSettings = [
  'message.timestamp.type',
  'cleanup.policy',
  'unclean.leader.election.enable',
  'compression.type',
] as const

const dayMs = 86_400_000
const hourMs = 3_600_000

export class TopicPlan {
  private readonly options: KafkaTopicsOptions

  constructor(options: KafkaTopicsOptions) {
    this.options = options
  }

  /** The topics that every cluster has. */
  basics(): readonly PlannedTopic[] {
    const { partitions, checkpointLagMs = dayMs } = this.options
    const { checkpoints, skips, runEvents, totals } = dispatchTopics(this.options.prefix)
    const ofScheduler = { partitions, mayHaveMore: false }
    return [
      this.plan(checkpoints, ofScheduler, {
        ...compacted,
        'min.compaction.lag.ms': `${checkpointLagMs}`,
      }),
      this.plan(skips, ofScheduler, this.kept()),
      this.plan(runEvents, { partitions, mayHaveMore: true }, { ...this.kept(), ...unpacked }),
      this.plan(totals, { partitions, mayHaveMore: true }, compacted),
    ]
  }

  /** The topic of a queue or an exchange. */
  runs(topic: string): PlannedTopic {
    const { partitions, runPartitions = partitions } = this.options
    return this.plan(topic, { partitions: runPartitions, mayHaveMore: true }, this.kept())
  }

  private kept(): Readonly<Record<string, string>> {
    const { retentionMs = 7 * dayMs } = this.options
    return { 'cleanup.policy': 'delete', 'retention.ms': `${retentionMs}` }
  }

  private plan(
    topic: string,
    shape: Pick<PlannedTopic, 'partitions' | 'mayHaveMore'>,
    settings: Readonly<Record<string, string>>,
  ): PlannedTopic {
    const { replication = 3, minInSyncReplicas = Math.min(2, replication) } = this.options
    return { topic, ...shape, replication, settings: { ...safe(minInSyncReplicas), ...settings } }
  }
}

/** A run that is caught up on is long due: with its own time retention could take it at once. */
const safe = (minInSyncReplicas: number) => ({
  'message.timestamp.type': 'LogAppendTime',
  'unclean.leader.election.enable': 'false',
  'min.insync.replicas': `${minInSyncReplicas}`,
})

/** Workers in any language write here, with any codec: the broker unpacks what readers could not. */
const unpacked = { 'compression.type': 'uncompressed' }

/** Only what is in closed segments is compacted: with Kafka's own seven days there would be a week to read. */
const compacted = {
  'cleanup.policy': 'compact',
  'segment.ms': `${hourMs}`,
  'min.cleanable.dirty.ratio': '0.1',
}

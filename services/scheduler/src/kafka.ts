import {
  type KafkaAccess,
  KafkaRecordWriter,
  KafkaTopics,
  KafkaTransactionLog,
  parseKafka,
  TopicMismatch,
} from '@almanac/adapters/kafka'
import type { RecordWriter } from '@almanac/adapters/ledger'
import { TransactionalDispatchLog, type TransactionLog } from '@almanac/adapters/transactions'
import type { Clock, ClockGuard, Random } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import { messageOf, type ProcessConfig, StartProblem } from './service/index.js'

interface KafkaParts {
  readonly config: ProcessConfig
  readonly address: string
  readonly access: KafkaAccess
  readonly nodeId: string
  /** Tells the event log from every other one. */
  readonly eventLogId: string
  readonly clock: Clock
  readonly random: Random
  readonly guard: ClockGuard
  readonly wrapLog: (log: TransactionLog) => TransactionLog
  readonly onFault: (message: string, fault: unknown) => void
}

/** Names of topics and transactional ids begin with it. */
export const prefixOf = ({ topicPrefix, cluster }: ProcessConfig): string => topicPrefix ?? cluster

export interface OpenKafka {
  readonly log: TransactionLog
  readonly dispatchLog: TransactionalDispatchLog
  readonly writer: RecordWriter
  runTopics(): Promise<readonly string[]>
  /** Where a reader without an offset of its own begins that wants what was appended since. */
  offsetsAt(topic: string, since: Instant): Promise<ReadonlyMap<number, number>>
  /**
   * Makes the topics that every node needs, and looks at those that are there. Throws `StartProblem` when one is not as
   * it has to be, a `PortFault` when the brokers can't be asked.
   */
  provision(): Promise<void>
  /** Throws `StartProblem` when these topics are those of a cluster with another event log. */
  refuseForeign(): void
  close(): Promise<void>
}

/** Throws `StartProblem` when the address can't be used. Nothing is asked of the brokers yet. */
export function openKafka(parts: KafkaParts): OpenKafka {
  const { config, address, access, nodeId, eventLogId, clock, random, guard, wrapLog, onFault } = parts
  const prefix = prefixOf(config)
  const connection = connectionOf(address, access)
  const { partitions, replication, queues, runRetentionDays } = config
  const retentionMs = Math.round(runRetentionDays * 86_400_000)
  const topics = new KafkaTopics({
    connection,
    clock,
    options: { prefix, partitions, replication, retentionMs },
  })
  const log = wrapLog(
    new KafkaTransactionLog({ connection, clock, createTopic: (topic) => topics.createRunTopic(topic) }),
  )
  const writer = new KafkaRecordWriter({ connection, clock })
  const dispatchLog = new TransactionalDispatchLog({
    log,
    clock,
    random,
    nodeId,
    eventLogId,
    options: { prefix },
    onServerTime: (...seen) => guard.observe('kafka', ...seen),
    marks: { partitions, write: (records) => writer.write(records) },
    onFault,
  })
  return {
    log,
    dispatchLog,
    writer,
    runTopics: () => topics.runTopics(),
    offsetsAt: (topic, since) => topics.offsetsAt(topic, since),
    provision: async () => {
      try {
        await topics.provision(queues)
      } catch (error) {
        if (error instanceof TopicMismatch) throw new StartProblem(error.message, error)
        throw error
      }
    },
    refuseForeign: () => {
      const other = dispatchLog.foreignNode()
      if (other === undefined) return
      throw new StartProblem(
        `Kafka's topics ${prefix}.* are those of a cluster with another event log (its node ${other}): give this ` +
          'cluster a name of its own (ALMANAC_CLUSTER), or other topics (ALMANAC_TOPIC_PREFIX).',
      )
    },
    close: () => writer.close(),
  }
}

function connectionOf(address: string, access: KafkaAccess) {
  try {
    return parseKafka(address, access)
  } catch (error) {
    throw new StartProblem(`ALMANAC_KAFKA: ${messageOf(error)}`, error)
  }
}

import { KafkaAdmin, KafkaRecordWriter, KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import type { RecordWriter } from '@almanac/adapters/ledger'
import { TransactionalDispatchLog, type TransactionLog } from '@almanac/adapters/transactions'
import type { Clock, ClockGuard, Random, Stop } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import { messageOf, type ProcessConfig, StartProblem } from './service/index.js'

interface KafkaParts {
  readonly config: ProcessConfig
  readonly address: string
  readonly nodeId: string
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
  /** Creates the topics that every node needs, and checks those that are there. */
  provision(stop: Stop): Promise<void>
  close(): Promise<void>
}

/** Throws `StartProblem` when the address can't be used. Nothing is asked of the brokers yet. */
export function openKafka(parts: KafkaParts): OpenKafka {
  const { config, address, nodeId, clock, random, guard, wrapLog, onFault } = parts
  const prefix = prefixOf(config)
  const connection = connectionOf(address)
  const admin = new KafkaAdmin({ connection, clock, prefix, ...topicsOf(config) })
  const log = wrapLog(
    new KafkaTransactionLog({ connection, clock, createTopic: (topic) => admin.createRunTopic(topic) }),
  )
  const dispatchLog = new TransactionalDispatchLog({
    log,
    clock,
    random,
    nodeId,
    options: { prefix },
    onServerTime: (...seen) => guard.observe('kafka', ...seen),
    onFault,
  })
  const writer = new KafkaRecordWriter({ connection, clock })
  return {
    log,
    dispatchLog,
    writer,
    runTopics: () => admin.runTopics(),
    offsetsAt: (topic, since) => admin.offsetsAt(topic, since),
    provision: (stop) => admin.provision(stop),
    close: async () => {
      await writer.close()
      await admin.close()
    },
  }
}

const topicsOf = ({ partitions, replication, queues, runRetentionDays }: ProcessConfig) => ({
  partitions,
  replication,
  queues,
  retentionMs: Math.round(runRetentionDays * 86_400_000),
})

function connectionOf(address: string) {
  try {
    return parseKafka(address)
  } catch (error) {
    throw new StartProblem(`ALMANAC_KAFKA: ${messageOf(error)}`, error)
  }
}

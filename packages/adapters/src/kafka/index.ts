export { type KafkaAccess, type KafkaConnection, parseKafka, saslMechanisms } from './connection.js'
export {
  defaultKafkaRecordWriterOptions,
  KafkaRecordWriter,
  type KafkaRecordWriterOptions,
  type KafkaRecordWriterParts,
} from './record-writer.js'
export type { KafkaTopicsOptions } from './topic-plan.js'
export { KafkaTopics, type KafkaTopicsParts, TopicMismatch } from './topics.js'
export {
  defaultKafkaLogOptions,
  type KafkaLogOptions,
  type KafkaLogParts,
  KafkaTransactionLog,
} from './transaction-log.js'

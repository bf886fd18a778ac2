export { SimTransactionLog, type SimTransactionLogOptions } from './client.js'
export { KafkaModel } from './model.js'
export type {
  Answer,
  Appended,
  Batch,
  DumpedRecord,
  Fetched,
  FetchRequest,
  Isolation,
  KafkaError,
  KafkaTuning,
  ProducedRecord,
  Producer,
  TopicConfig,
  TopicPartition,
  Watermarks,
} from './protocol.js'
export { defaultTuning } from './protocol.js'

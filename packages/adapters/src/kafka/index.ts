export { type KafkaConnection, parseKafka } from './connection.js'
export {
  defaultKafkaLogOptions,
  type KafkaLogOptions,
  type KafkaLogParts,
  KafkaTransactionLog,
} from './transaction-log.js'

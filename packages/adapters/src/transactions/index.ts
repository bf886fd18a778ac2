export * from './transaction-log.js'

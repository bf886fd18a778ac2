export { checkHistory } from './check.js'
export { HistoryError } from './seen.js'
export * from './types.js'

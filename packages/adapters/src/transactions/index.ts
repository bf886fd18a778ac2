export * from './dispatch-log.js'
export * from './dispatch-parts.js'
export {
  isCheckpoint,
  isMark,
  isOwner,
  type OwnerRecord,
  readCheckpoint,
  readOwner,
  readRun,
  readSkips,
  type SkipsRecord,
} from './records.js'
export * from './topics.js'
export * from './transaction-log.js'

export {
  type Crontab,
  type CrontabField,
  compileCrontab,
  crontabFields,
  type DayRule,
  formatCrontab,
  type ParsedField,
  parseCrontab,
  parseCrontabLine,
} from './crontab.js'
export { formatInstant, maxInstant, minInstant, parseInstant } from './instant.js'
export { nextOnGridMicros } from './interval.js'
export * from './types.js'
export { type Transition, type Zone, zone } from './zone.js'

export { parseCalendar } from './calendar.js'
export { compile, firstN, nthAfter } from './compile.js'
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
export { dstNotes } from './notes.js'
export { rememberLast } from './remember-last.js'
export { type Fields, fieldsOf, join, nearest, show, unknownKeys } from './shape.js'
export { describe, modelText } from './text.js'
export * from './types.js'
export { scheduleKind, scheduleKinds, validateSchedule } from './validate.js'
export { type Transition, type Zone, zone } from './zone.js'

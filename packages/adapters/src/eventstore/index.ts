export {
  type EventStoreAddress,
  type EventStoreHost,
  InvalidEventStoreAddress,
  parseEventStore,
} from './address.js'
export { EventStoreLog, type EventStoreLogOptions } from './event-log.js'
export { PlaceTooLarge } from './place.js'

export { SimEventLog, type SimEventLogOptions } from './event-log.js'
export { type EventLogFaults, EventLogService } from './event-log-service.js'
export { type LeaseFaults, LeaseService } from './lease-service.js'
export { type SimLeaseOptions, SimLeaseStore, SimMembership } from './leases.js'

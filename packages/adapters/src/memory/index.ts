export { MemoryLeaseStore } from './lease-store.js'
export { MemoryMembership } from './membership.js'

export { MemoryLeaseStore } from './lease-store.js'

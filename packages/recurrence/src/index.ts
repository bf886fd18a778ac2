export * from './types.js'
export { type Transition, type Zone, zone } from './zone.js'

export type * from './world/types.js'

export * from './kafka/index.js'
export * from './services/index.js'
export * from './world/index.js'

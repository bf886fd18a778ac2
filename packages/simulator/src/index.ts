export * from './services/index.js'
export * from './world/index.js'

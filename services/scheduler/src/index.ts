export { type NodeConfig, startNode, version } from './main.js'
export { serveNode } from './serve.js'

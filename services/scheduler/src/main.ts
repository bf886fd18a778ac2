import { createRequire } from 'node:module'
import type { ProcessConfig, Servers } from './service/config.js'
import type { Running, StartCallbacks } from './service/index.js'

export const version: string = createRequire(import.meta.url)('../package.json').version

export interface NodeConfig extends ProcessConfig {
  readonly servers: Servers
}
export async function startNode(_config: NodeConfig, _callbacks: StartCallbacks): Promise<Running> {
  throw new Error('x')
}

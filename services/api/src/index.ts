export { buildApi } from './build-api.js'
export type { AccessLine, Api, ApiOptions } from './host.js'

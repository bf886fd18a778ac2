export type { AccessOptions, TokenClaims, TokenVerifier } from './access/access.js'
export { buildApi } from './build-api.js'
export type { AccessLine, Api, ApiOptions } from './host.js'
export { buildOperations, type OperationsOptions } from './operations.js'

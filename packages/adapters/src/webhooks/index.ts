export { HttpWebhookCaller } from './caller.js'
export { minKeyLength, SecretMaker, signatureOf } from './signing.js'
export { type AllowEntry, parseAllowEntry, type TargetPolicy } from './targets.js'

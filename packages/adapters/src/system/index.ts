export {
  type AccessProblem,
  AccessRefused,
  isCertificateCode,
  readTlsFiles,
  type ServerAccess,
  type TlsFiles,
} from './access.js'
export { systemClock } from './clock.js'
export { type Flags, optionSources, optionsHelp, optionsMarkdown, parseFlags } from './command-line.js'
export { systemDigest } from './digest.js'
export * from './options.js'
export { systemRandom } from './random.js'

export { systemClock } from './clock.js'
export { type Flags, optionSources, optionsHelp, optionsMarkdown, parseFlags } from './command-line.js'
export * from './options.js'
export { systemRandom } from './random.js'

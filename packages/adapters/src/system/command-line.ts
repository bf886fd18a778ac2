import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { nearest } from '@almanac/recurrence'
import { environmentName, flagName, type OptionSources, type OptionTable } from './options.js'

export type Flags = { readonly [flag: string]: string | boolean | undefined }

/** The flags of a server's command line, with `config`, `help` and `version`; a sentence when they are wrong. */
export function parseFlags(table: OptionTable, argv: readonly string[]): Flags | string {
  const known: { [flag: string]: { type: 'string' | 'boolean'; short?: string } } = {
    config: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
  }
  for (const [option, { kind }] of Object.entries(table)) {
    known[flagName(option)] = { type: kind === 'boolean' ? 'boolean' : 'string' }
  }
  const unknown = argv.find(
    (word) => word.startsWith('--') && known[word.slice(2).split('=')[0] ?? ''] === undefined,
  )
  if (unknown !== undefined) {
    // What stands behind the = may be a password.
    const name = unknown.slice(2).split('=')[0] ?? ''
    const near = nearest(name, Object.keys(known))
    return `--${name} is not an option${near === undefined ? '; --help lists them' : `; did you mean --${near}?`}`
  }
  try {
    return parseArgs({ args: [...argv], options: known, strict: true }).values
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * Flags, environment, and the config file: the one that `--config` or `ALMANAC_CONFIG` names, else `almanac.json` in
 * the working folder when there is one. A sentence when the file can't be read.
 */
export function optionSources(
  { env, cwd }: Pick<NodeJS.Process, 'env' | 'cwd'>,
  flags: Flags,
): OptionSources | string {
  const named = typeof flags.config === 'string' ? flags.config : env.ALMANAC_CONFIG
  const path = resolve(cwd(), named ?? 'almanac.json')
  if (named === undefined && !existsSync(path)) return { flags, env }
  try {
    return { flags, env, file: { path, text: readFileSync(path, 'utf8') } }
  } catch (error) {
    return `${path} cannot be read: ${error instanceof Error ? error.message : error}`
  }
}

/** One paragraph for each option, as `--help` shows them. */
export function optionsHelp(table: OptionTable): string {
  const lines = Object.entries(table).map(([option, { default: preset, description, unit }]) => {
    const value = preset === null ? 'unset' : String(preset)
    const of = unit === undefined ? '' : ` ${unit}`
    return `  --${flagName(option).padEnd(22)} ${environmentName(option)} (${value}${of})\n      ${description}`
  })
  return [
    'Options, their environment variables and defaults. Also keys of almanac.json, or of the file ' +
      'named by --config.',
    '',
    ...lines,
  ].join('\n')
}

/** The options as a table in Markdown. */
export function optionsMarkdown(table: OptionTable): string {
  const rows = Object.entries(table).map(([option, { default: preset, description, unit, ...rest }]) => {
    const value = preset === null ? 'unset' : `\`${preset}\``
    const limits =
      'min' in rest ? `, ${rest.min} to ${rest.max}` : 'of' in rest ? `, ${rest.of.join(' or ')}` : ''
    const kind = `${rest.kind === 'choice' ? 'one' : rest.kind}${unit === undefined ? '' : ` (${unit})`}${limits}`
    const names = [option, environmentName(option), `--${flagName(option)}`].map((text) => `\`${text}\``)
    return `| ${[...names, kind, value, description].join(' | ')} |`
  })
  return [
    '| key | environment | flag | value | default | meaning |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

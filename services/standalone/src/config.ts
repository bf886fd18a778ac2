import { parseStrictJson } from '@almanac/protocol'
import { nearest } from '@almanac/recurrence'
import {
  environmentName,
  flagName,
  type OptionName,
  type OptionSpec,
  optionNames,
  optionSpec,
} from './options.js'

/** Everything that the standalone server can be told, complete and checked. */
export interface StandaloneConfig {
  /** Loopback address to listen on. @default '127.0.0.1' */
  readonly host: string
  /** TCP port; 0: any free one. @default 7420 */
  readonly port: number
  /** Folder that everything is kept in. @default './.almanac' */
  readonly data: string
  /** Groups of tasks; fixed when the data folder is made. 1 to 256. @default 64 */
  readonly partitions: number
  /** Part of every run id; fixed when the data folder is made. @default 'almanac' */
  readonly cluster: string
  /** Name of this process. @default 'standalone' */
  readonly node: string
  /** Has no effect in standalone. @default null */
  readonly region: string | null
  /** Decided later than this is late. Seconds. @default 2 */
  readonly misfireGraceSeconds: number
  /** How long finished runs and skips are kept. Days. @default 7 */
  readonly runRetentionDays: number
  /** How the database files are checked at the start. @default 'quick' */
  readonly check: 'none' | 'quick' | 'full'
  /** Start although acknowledged changes are missing. @default false */
  readonly acceptLoss: boolean
  /** One line of JSON per request on standard output. @default false */
  readonly accessLog: boolean
}

export interface ConfigSources {
  /** By option name, as text or as true for a flag without a value. */
  readonly flags?: { readonly [flag: string]: string | boolean | undefined }
  readonly env?: { readonly [name: string]: string | undefined }
  /** The text of the config file and its name for messages. */
  readonly file?: { readonly path: string; readonly text: string }
}

export type ConfigResult =
  | { readonly ok: true; readonly config: StandaloneConfig }
  /** Sentences, each naming where the wrong value came from. */
  | { readonly ok: false; readonly problems: readonly string[] }

type Value = string | number | boolean | null

/** Defaults, overlaid by the config file, the environment and the flags, in this order. Tells every problem at once. */
export function resolveConfig({ flags = {}, env = {}, file }: ConfigSources): ConfigResult {
  const problems: string[] = []
  const values = new Map<string, Value>(optionNames.map((option) => [option, optionSpec(option).default]))
  for (const [option, value] of fileValues(file, problems)) {
    set(values, option, value, `${file?.path}: ${option}`, problems)
  }
  for (const option of optionNames) {
    const variable = environmentName(option)
    const given = env[variable]
    if (given !== undefined && given !== '') set(values, option, fromText(option, given), variable, problems)
  }
  for (const option of optionNames) {
    const given = flags[flagName(option)]
    if (given === undefined) continue
    const value = typeof given === 'string' ? fromText(option, given) : given
    set(values, option, value, `--${flagName(option)}`, problems)
  }
  refuseWhatComesLater(values, problems)
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, config: Object.fromEntries(values) as unknown as StandaloneConfig }
}

function fileValues(file: ConfigSources['file'], problems: string[]): [OptionName, unknown][] {
  if (file === undefined) return []
  const parsed = parseStrictJson(file.text)
  if (!parsed.ok) {
    problems.push(`${file.path}: ${parsed.fault.path} ${parsed.fault.message}`)
    return []
  }
  if (typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value)) {
    problems.push(`${file.path}: must be a JSON object`)
    return []
  }
  return Object.entries(parsed.value).flatMap(([key, value]): [OptionName, unknown][] => {
    const option = optionNames.find((known) => known === key)
    if (option !== undefined) return [[option, value]]
    const near = nearest(key, optionNames)
    problems.push(
      `${file.path}: ${key} is not an option${near === undefined ? '' : `; did you mean ${near}?`}`,
    )
    return []
  })
}

/** Text of a flag or a variable as the option's type; what is no such text stays text, and is refused with it. */
function fromText(option: OptionName, text: string): unknown {
  const { kind } = optionSpec(option)
  if (kind === 'boolean')
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text
  if (kind === 'whole') return /^\d{1,15}$/.test(text) ? Number(text) : text
  if (kind === 'number') return /^\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : text
  return text
}

function set(
  values: Map<string, Value>,
  option: OptionName,
  value: unknown,
  from: string,
  problems: string[],
): void {
  const spec = optionSpec(option)
  const wrong = value === null && spec.default === null ? undefined : faultOf(spec, value)
  if (wrong === undefined) values.set(option, value as Value)
  else problems.push(`${from} must be ${wrong}, not ${JSON.stringify(value)}`)
}

function faultOf(spec: OptionSpec, value: unknown): string | undefined {
  switch (spec.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false'
    case 'choice':
      return spec.of.includes(String(value)) ? undefined : `one of ${spec.of.join(', ')}`
    case 'text':
      if (typeof value !== 'string' || value.trim() === '') return 'a text'
      return spec.pattern?.test(value) === false ? (spec.form ?? 'another text') : undefined
    default: {
      const fits = typeof value === 'number' && value >= spec.min && value <= spec.max
      const whole = spec.kind === 'whole' ? 'a whole number' : 'a number'
      const range = `${whole} from ${spec.min} to ${spec.max}${spec.unit === undefined ? '' : ` (${spec.unit})`}`
      return fits && (spec.kind === 'number' || Number.isInteger(value)) ? undefined : range
    }
  }
}

const loopback = new Set(['127.0.0.1', 'localhost', '::1', '[::1]'])

function refuseWhatComesLater(values: Map<string, Value>, problems: string[]): void {
  for (const option of ['eventstore', 'kafka', 'redis'] as const) {
    if (values.get(option) === null) continue
    problems.push(
      `${environmentName(option)} is set, but this version has no cluster mode yet. Unset it to run standalone.`,
    )
    values.delete(option)
  }
  for (const option of ['eventstore', 'kafka', 'redis']) values.delete(option)
  const host = String(values.get('host'))
  if (!loopback.has(host.toLowerCase())) {
    problems.push(
      `${environmentName('host')} is ${host}, but Almanac has no credentials yet, so it listens on loopback only: ` +
        '127.0.0.1, localhost or ::1.',
    )
  }
  if (host === '[::1]') values.set('host', '::1')
}

import { parseStrictJson } from '@almanac/protocol'
import { nearest } from '@almanac/recurrence'

type Kind =
  | { readonly kind: 'text'; readonly pattern?: RegExp; readonly form?: string }
  | { readonly kind: 'whole'; readonly min: number; readonly max: number }
  | { readonly kind: 'number'; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly of: readonly string[] }
  | { readonly kind: 'boolean' }

/** One thing that a process can be told. */
export type OptionSpec = Kind & {
  readonly unit?: string
  /** True: no message repeats what it was set to. */
  readonly secret?: boolean
  /** Null: unset. */
  readonly default: string | number | boolean | null
  readonly description: string
}

/** All that a process can be told, by the name that the config file has for it. */
export interface OptionTable {
  readonly [name: string]: OptionSpec
}

export type OptionValue = string | number | boolean | null

export interface OptionSources {
  /** By flag name, as text or as true for a flag without a value. */
  readonly flags?: { readonly [flag: string]: string | boolean | undefined }
  readonly env?: { readonly [name: string]: string | undefined }
  /** The text of the config file and its name for messages. */
  readonly file?: { readonly path: string; readonly text: string }
}

export interface ReadOptions {
  /** Every option, by its name; of a wrong one, its default. */
  readonly values: ReadonlyMap<string, OptionValue>
  /** Sentences, each naming where the wrong value came from. */
  readonly problems: readonly string[]
}

/** `runRetentionDays`: `ALMANAC_RUN_RETENTION_DAYS` */
export const environmentName = (option: string): string =>
  `ALMANAC_${option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/** `runRetentionDays`: `run-retention-days` */
export const flagName = (option: string): string =>
  option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** Defaults, overlaid by the config file, the environment and the flags, in this order. Tells every problem at once. */
export function readOptions(table: OptionTable, { flags = {}, env = {}, file }: OptionSources): ReadOptions {
  const reading = new Reading(table)
  for (const [option, value] of reading.fileValues(file)) {
    reading.set(option, value, `${file?.path}: ${option}`)
  }
  for (const [option, spec] of Object.entries(table)) {
    const variable = environmentName(option)
    const given = env[variable]
    if (given !== undefined && given !== '') reading.set(option, fromText(spec, given), variable)
  }
  for (const [option, spec] of Object.entries(table)) {
    const given = flags[flagName(option)]
    if (given === undefined) continue
    const value = typeof given === 'string' ? fromText(spec, given) : given
    reading.set(option, value, `--${flagName(option)}`)
  }
  return reading
}

class Reading implements ReadOptions {
  readonly values: Map<string, OptionValue>
  readonly problems: string[] = []
  private readonly table: OptionTable

  constructor(table: OptionTable) {
    this.table = table
    this.values = new Map(Object.entries(table).map(([option, spec]) => [option, spec.default]))
  }

  set(option: string, value: unknown, from: string): void {
    const spec = this.table[option]
    if (spec === undefined) return
    const wrong = value === null && spec.default === null ? undefined : faultOf(spec, value)
    if (wrong === undefined) this.values.set(option, value as OptionValue)
    else this.problems.push(`${from} must be ${wrong}${spec.secret ? '' : `, not ${JSON.stringify(value)}`}`)
  }

  fileValues(file: OptionSources['file']): [string, unknown][] {
    if (file === undefined) return []
    const parsed = parseStrictJson(file.text)
    if (!parsed.ok) {
      this.problems.push(`${file.path}: ${parsed.fault.path} ${parsed.fault.message}`)
      return []
    }
    if (typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value)) {
      this.problems.push(`${file.path}: must be a JSON object`)
      return []
    }
    return Object.entries(parsed.value).filter(([key]) => {
      if (Object.hasOwn(this.table, key)) return true
      const near = nearest(key, Object.keys(this.table))
      const hint = near === undefined ? '' : `; did you mean ${near}?`
      this.problems.push(`${file.path}: ${key} is not an option${hint}`)
      return false
    })
  }
}

/** Text of a flag or a variable as the option's type; what is no such text stays text, and is refused with it. */
function fromText({ kind }: OptionSpec, text: string): unknown {
  if (kind === 'boolean')
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text
  if (kind === 'whole') return /^\d{1,15}$/.test(text) ? Number(text) : text
  if (kind === 'number') return /^\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : text
  return text
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

/**
 * Every option of the standalone server: one table, from which the flags, the environment variables, the keys of the
 * config file, the help text and the reference page are made.
 */

type Kind =
  | { readonly kind: 'text'; readonly pattern?: RegExp; readonly form?: string }
  | { readonly kind: 'whole'; readonly min: number; readonly max: number }
  | { readonly kind: 'number'; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly of: readonly string[] }
  | { readonly kind: 'boolean' }

export type OptionSpec = Kind & {
  readonly unit?: string
  readonly default: string | number | boolean | null
  readonly description: string
}

const name = { kind: 'text', pattern: /^[a-z0-9][a-z0-9-]{0,62}$/, form: '1 to 63 of a-z, 0-9, -' } as const
const later = (product: string) =>
  ({
    kind: 'text',
    default: null,
    description: `Connection string of ${product}: the cluster mode, which this version does not have yet.`,
  }) as const

export const options = {
  host: {
    kind: 'text',
    default: '127.0.0.1',
    description: 'Address to listen on. Loopback only: requests need no credentials yet.',
  },
  port: {
    kind: 'whole',
    min: 0,
    max: 65_535,
    default: 7420,
    description: 'TCP port to listen on; 0 takes any free one.',
  },
  data: {
    kind: 'text',
    default: './.almanac',
    description: 'Folder that everything is kept in. Made if it is not there. One process at a time.',
  },
  partitions: {
    kind: 'whole',
    min: 1,
    max: 256,
    default: 64,
    description: 'Groups of tasks that are scheduled one by one. Fixed when the data folder is made.',
  },
  cluster: {
    ...name,
    default: 'almanac',
    description: 'Name of this installation: part of every run id. Fixed when the data folder is made.',
  },
  node: {
    ...name,
    default: 'standalone',
    description: 'Name of this process in the status and the history.',
  },
  region: { ...name, default: null, description: 'Where this runs. Has no effect in standalone.' },
  misfireGraceSeconds: {
    kind: 'number',
    min: 0.1,
    max: 3_600,
    unit: 'seconds',
    default: 2,
    description: 'An occurrence that is decided later than this is late: its task’s catch-up policy decides.',
  },
  runRetentionDays: {
    kind: 'number',
    min: 0.01,
    max: 36_500,
    unit: 'days',
    default: 7,
    description: 'Finished runs and skips are forgotten after this. Totals and the task history stay.',
  },
  check: {
    kind: 'choice',
    of: ['none', 'quick', 'full'],
    default: 'quick',
    description: 'How the database files are checked at the start. `full` takes several times longer.',
  },
  acceptLoss: {
    kind: 'boolean',
    default: false,
    description:
      'Start although acknowledged changes are missing from the data folder, and go on without them.',
  },
  accessLog: {
    kind: 'boolean',
    default: false,
    description: 'Write one line of JSON to standard output for each request.',
  },
  eventstore: later('EventStoreDB'),
  kafka: later('Kafka'),
  redis: later('Redis'),
} as const satisfies { readonly [name: string]: OptionSpec }

export type OptionName = keyof typeof options

export const optionNames = Object.keys(options) as readonly OptionName[]
export const optionSpec = (option: OptionName): OptionSpec => options[option]

/** `runRetentionDays`: `ALMANAC_RUN_RETENTION_DAYS` */
export const environmentName = (option: string): string =>
  `ALMANAC_${option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/** `runRetentionDays`: `run-retention-days` */
export const flagName = (option: string): string =>
  option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** The reference page of all options, in Markdown. */
export function renderOptionsPage(): string {
  const rows = optionNames.map((option) => {
    const { default: preset, description, unit, ...rest } = optionSpec(option)
    const value = preset === null ? 'unset' : `\`${preset}\``
    const limits =
      'min' in rest ? `, ${rest.min} to ${rest.max}` : 'of' in rest ? `, ${rest.of.join(' or ')}` : ''
    const kind = `${rest.kind === 'choice' ? 'one' : rest.kind}${unit === undefined ? '' : ` (${unit})`}${limits}`
    const names = [option, environmentName(option), `--${flagName(option)}`].map((text) => `\`${text}\``)
    return `| ${[...names, kind, value, description].join(' | ')} |`
  })
  return `${[
    '# Configuration of the standalone server',
    '',
    '<!-- Made from services/standalone/src/options.ts by `UPDATE_DOCS=1 npx vitest run options`. -->',
    '',
    'A flag goes before an environment variable, that before the config file (`almanac.json` in the ' +
      'working folder,',
    'or the file named by `--config` or `ALMANAC_CONFIG`), that before the default. Unknown keys are ' +
      'refused.',
    '',
    '| key | environment | flag | value | default | meaning |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')}\n`
}

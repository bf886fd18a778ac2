import type { Command } from 'commander'
import { usage } from './failure.js'
import { Server } from './http/server.js'
import { type Column, fields, table } from './output/table.js'
import { wrap } from './output/text.js'
import { readInstant } from './output/time.js'
import type { World } from './world.js'

export const defaultUrl = 'http://127.0.0.1:7420'

/** Options that every command which talks to a server has. */
export interface ServerOptions {
  readonly url?: string
  readonly namespace?: string
  readonly keyFile?: string
  readonly json?: boolean
}

export const withServerOptions = (command: Command): Command =>
  command
    .option('--url <url>', `address of the server (ALMANAC_URL, else ${defaultUrl})`)
    .option('-n, --namespace <name>', 'namespace (ALMANAC_NAMESPACE, else default)')
    .option('--key-file <path>', 'file with the API key (ALMANAC_KEY_FILE; or the key itself in ALMANAC_KEY)')
    .option('--json', 'print JSON for machines')

const addressOf = (text: string): string => {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw usage(`"${text}" is not an address of a server.`, `Expected is something like ${defaultUrl}`)
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

const namespaceOf = (text: string): string => {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(text)) return text
  throw usage(
    `"${text}" is not a namespace.`,
    'A namespace is 1 to 63 of a-z, 0-9 and -, not starting with -.',
  )
}

/** Who asks, as the history shows it: `ALMANAC_ACTOR`, else the user of the shell. Headers carry ASCII only. */
const actorOf = ({ env, user }: World): string =>
  (env.ALMANAC_ACTOR ?? `cli:${user}`).replace(/[^\x21-\x7e]/g, '_').slice(0, 200)

/** The key that is sent, if any: of the file that is named, else of the environment. */
const credentialOf = async ({ env, readText }: World, named: string | undefined) => {
  const file = named ?? (env.ALMANAC_KEY === undefined ? env.ALMANAC_KEY_FILE : undefined)
  const key = file === undefined ? env.ALMANAC_KEY : (await readText(file)).trim()
  if (key === undefined || key === '') return {}
  if (/^[\x21-\x7e]+$/.test(key)) return { authorization: `Bearer ${key}` }
  throw usage(`${file ?? 'ALMANAC_KEY'} has no key in it: a key is one word of visible characters.`)
}

/** One invocation of a command: where it asks, and how it prints. */
export class Session {
  readonly world: World
  readonly server: Server
  readonly json: boolean

  constructor(world: World, options: ServerOptions) {
    this.world = world
    this.json = options.json === true
    const address = {
      url: addressOf(options.url ?? world.env.ALMANAC_URL ?? defaultUrl),
      namespace: namespaceOf(options.namespace ?? world.env.ALMANAC_NAMESPACE ?? 'default'),
    }
    this.server = new Server(address, async () => ({
      'almanac-actor': actorOf(world),
      ...(await credentialOf(world, options.keyFile)),
    }))
  }

  get now(): number {
    return this.world.clock.now()
  }

  line(text = ''): void {
    this.world.out.write(`${text}\n`)
  }

  /** A text of any length: broken at blanks where the terminal ends. */
  text(text: string, indent = 0): void {
    const blanks = ' '.repeat(indent)
    for (const line of wrap(text, this.world.out.columns - indent)) this.line(blanks + line)
  }

  /** One JSON document, indented: for answers that are complete. */
  document(value: unknown): void {
    this.line(JSON.stringify(value, null, 2))
  }

  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    const { out } = this.world
    for (const line of table(columns, rows, { width: out.columns, heading: out.paint.bold })) this.line(line)
  }

  fields(entries: readonly (readonly [string, string])[]): void {
    const { paint, columns } = this.world.out
    for (const line of fields(entries, paint.dim, columns)) this.line(line)
  }

  /** A line beside the result, on stderr: notices, progress, hints. Silent for machines. */
  notice(text: string): void {
    if (this.json) return
    for (const line of wrap(text, this.world.err.columns))
      this.world.err.write(`${this.world.err.paint.dim(line)}\n`)
  }

  /** The value of an option that takes an instant. */
  instant(option: string, text: string): number {
    const instant = readInstant(text, this.now)
    if (instant !== undefined) return instant
    throw usage(
      `${option} "${text}" is not an instant.`,
      'Give ISO 8601 (2026-12-01T09:30:00Z), a date, now, or a distance such as -2h or +1d.',
    )
  }
}

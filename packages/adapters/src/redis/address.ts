import { readTlsFiles, type ServerAccess, type TlsFiles } from '../system/index.js'

/** Where a Redis is, and who asks. */
export interface RedisAddress {
  /** Host and port: what messages call it. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** Undefined: plain text. Texts in PEM; without `ca` the system's own authorities are trusted. */
  readonly tls?: TlsFiles
  readonly username?: string
  readonly password?: string
  readonly db: number
}

/** An address that can't be used. The message names it without its password. */
export class InvalidRedisAddress extends Error {
  constructor(text: string, why: string) {
    super(`Redis address ${text}: ${why}`)
    this.name = 'InvalidRedisAddress'
  }
}

const defaultPort = 6379

/**
 * Reads one address, or several of independent servers with commas between them:
 * `redis://user:password@host:6379/0`, or `rediss://...?ca=/path` for TLS. What has a meaning in an address (`,`, `/`,
 * `@`, `#`) is written with `%` in a password. What is in `access` holds for all of them, and need not be there. Throws
 * `InvalidRedisAddress`.
 */
export function parseRedis(list: string, access: ServerAccess = {}): readonly RedisAddress[] {
  const hidden = hider(list)
  const addresses = list.split(',').map((text) => parseOne(text.trim(), access, hidden))
  const names = addresses.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new InvalidRedisAddress(twice, 'it is there twice')
  if (addresses.length % 2 === 0) {
    const why = `these are ${addresses.length} servers: give an odd number of them, for there must be a majority`
    throw new InvalidRedisAddress(names.join(), why)
  }
  return addresses
}

type Fail = (why: string) => never

/** An address as messages show it. A comma in a password that is not escaped leaves a part of it without an `@`. */
const hider = (list: string) => (text: string) => {
  if (text === '') return '(empty)'
  if (text.includes('@')) return text.replace(/^(\w+:\/\/)?.*@/, '$1...@')
  return list.includes('@') || /:\/\/[^/]*:.*\D/.test(text) ? '...' : text
}

function parseOne(text: string, access: ServerAccess, hidden: (text: string) => string): RedisAddress {
  const fail: Fail = (why) => {
    throw new InvalidRedisAddress(hidden(text), why)
  }
  if (!/^rediss?:\/\//.test(text)) fail('it must begin with redis:// or rediss://')
  const url = urlOf(text, fail)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (host === '') fail('there is no host in it')
  if (url.hash !== '') fail('write # as %23')
  const port = url.port === '' ? defaultPort : Number(url.port)
  const username = once('the user', decoded(url.username, fail), access.user, fail)
  const password = once('the password', decoded(url.password, fail), access.password, fail)
  if (username !== undefined && password === undefined) fail('there is a user without a password')
  const tls = tlsOf(url, access, fail)
  return {
    name: `${url.hostname}:${port}`,
    host,
    port,
    db: dbOf(url.pathname, fail),
    ...(tls === undefined ? {} : { tls }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  }
}

function urlOf(text: string, fail: Fail): URL {
  try {
    return new URL(text)
  } catch {
    return fail('it is not a URL, such as redis://host:6379')
  }
}

/** What may stand in the address, or beside it. */
function once(what: string, inAddress: string, beside: string | undefined, fail: Fail): string | undefined {
  if (inAddress === '') return beside
  return beside === undefined ? inAddress : fail(`${what} is set both in the address and beside it`)
}

function decoded(part: string, fail: Fail): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return fail('write % in a user or password as %25')
  }
}

function dbOf(path: string, fail: Fail): number {
  const db = path.replace(/^\//, '')
  if (!/^\d{0,5}$/.test(db)) fail('what stands behind the / is not the number of a database')
  return Number(db)
}

function tlsOf(url: URL, access: ServerAccess, fail: Fail): TlsFiles | undefined {
  for (const name of url.searchParams.keys()) {
    if (name !== 'ca') fail('there is no setting but ca')
  }
  const caFile = once('ca', url.searchParams.get('ca') ?? '', access.caFile, fail)
  const files: ServerAccess = { ...access, ...(caFile === undefined ? {} : { caFile }) }
  if (url.protocol !== 'rediss:') {
    const asked = [files.caFile, files.certFile, files.keyFile].some((file) => file !== undefined)
    return asked ? fail('ca, and a certificate, are only for rediss://') : undefined
  }
  try {
    return readTlsFiles(files)
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

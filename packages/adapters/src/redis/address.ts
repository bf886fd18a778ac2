/** Where a Redis is, and who asks. */
export interface RedisAddress {
  /** Host and port: what messages call it. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** File with the certificates to trust instead of the system's. */
  readonly ca?: string
  readonly username?: string
  readonly password?: string
  readonly db: number
}

/** An address that can't be used. The message names it without its password. */
export class InvalidRedisAddress extends Error {
  constructor(text: string, why: string) {
    super(`Redis address ${text.replace(/\/\/[^/]*@/, '//...@')}: ${why}`)
    this.name = 'InvalidRedisAddress'
  }
}

const defaultPort = 6379

/**
 * Reads one address, or several of independent servers with commas between them:
 * `redis://user:password@host:6379/0`, or `rediss://...?ca=/path` for TLS. What has a meaning in an address (`,`, `/`,
 * `@`, `#`) is written with `%` in a password. Throws `InvalidRedisAddress`.
 */
export function parseRedis(list: string): readonly RedisAddress[] {
  const addresses = list.split(',').map((text) => parseOne(text.trim()))
  const names = addresses.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new InvalidRedisAddress(twice, 'it is there twice')
  if (addresses.length % 2 === 0) {
    const why = `these are ${addresses.length} servers: give an odd number of them, for there must be a majority`
    throw new InvalidRedisAddress(names.join(), why)
  }
  return addresses
}

function parseOne(text: string): RedisAddress {
  if (!/^rediss?:\/\//.test(text)) {
    throw new InvalidRedisAddress(text || '(empty)', 'it must begin with redis:// or rediss://')
  }
  const url = urlOf(text)
  const tls = url.protocol === 'rediss:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (host === '') throw new InvalidRedisAddress(text, 'there is no host in it')
  if (url.hash !== '') throw new InvalidRedisAddress(text, 'write # as %23')
  const port = url.port === '' ? defaultPort : Number(url.port)
  const username = decoded(text, url.username)
  const password = decoded(text, url.password)
  const ca = settingsOf(text, url).get('ca')
  if (ca !== undefined && !tls) throw new InvalidRedisAddress(text, 'ca is only for rediss://')
  return {
    name: `${url.hostname}:${port}`,
    host,
    port,
    tls,
    db: dbOf(text, url.pathname),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
  }
}

function urlOf(text: string): URL {
  try {
    return new URL(text)
  } catch {
    throw new InvalidRedisAddress(text, 'it is not a URL, such as redis://host:6379')
  }
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new InvalidRedisAddress(text, 'write % in a user or password as %25')
  }
}

function dbOf(text: string, path: string): number {
  const db = path.replace(/^\//, '')
  if (!/^\d{0,5}$/.test(db)) throw new InvalidRedisAddress(text, `/${db} is not the number of a database`)
  return Number(db)
}

function settingsOf(text: string, url: URL): ReadonlyMap<string, string> {
  const settings = new Map(url.searchParams)
  for (const name of settings.keys()) {
    if (name !== 'ca') throw new InvalidRedisAddress(text, `there is no setting ${name}: only ca`)
  }
  return settings
}

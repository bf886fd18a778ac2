import { readTlsFiles, type ServerAccess, type TlsFiles } from '../system/index.js'

/** A server, or a node of a cluster. */
export interface EventStoreHost {
  readonly address: string
  readonly port: number
}

/** Where an EventStoreDB (or KurrentDB) is, and who asks. */
export interface EventStoreAddress {
  /** Hosts and ports: what messages call it. Never with a password. */
  readonly name: string
  /** True: the nodes are asked who leads; false: there is one node, and it is this. */
  readonly discover: boolean
  readonly hosts: readonly EventStoreHost[]
  /** Undefined: plain text. Texts in PEM; `cert` and `key` are for servers that know their users by certificate. */
  readonly tls?: TlsFiles
  readonly username?: string
  readonly password?: string
  /** Milliseconds of silence after which the server is asked whether it is there. At least 10_000. */
  readonly keepAliveIntervalMs: number
  /** And how long it has for its answer. */
  readonly keepAliveTimeoutMs: number
}

/** An address that can't be used. The message names it without its password. */
export class InvalidEventStoreAddress extends Error {
  constructor(text: string, why: string) {
    super(`EventStoreDB address ${hidden(text)}: ${why}`)
    this.name = 'InvalidEventStoreAddress'
  }
}

/** Without an @ a user and a password may stand where hosts belong: that is not repeated. */
const hidden = (text: string): string => {
  if (text === '') return '(empty)'
  if (text.includes('@')) return text.replace(/^(\S+?:\/\/)?.*@/, '$1...@')
  return /:\/\/[^,?]*:\D/.test(text) ? '...' : text
}

const defaultPort = 2113
const keepAliveFloorMs = 10_000
const schemes: Readonly<Record<string, boolean>> = {
  esdb: false,
  'esdb+discover': true,
  kurrentdb: false,
  'kurrentdb+discover': true,
}
const settingNames = [
  'tls',
  'tlsCAFile',
  'userCertFile',
  'userKeyFile',
  'keepAliveInterval',
  'keepAliveTimeout',
]

/**
 * Reads `esdb://user:password@host:2113?tls=true&tlsCAFile=/path`. Several hosts with commas between them, or
 * `esdb+discover://`, are a cluster: its nodes are asked who leads. What has a meaning in an address (`:`, `@`, `/`,
 * `?`, `,`) is written with `%` in a password. What is in `access` need not be there, and must not be. Throws
 * `InvalidEventStoreAddress`.
 *
 * Refuses what the client would drop without a word: a user without TLS, and settings that it does not know.
 */
export function parseEventStore(text: string, access: ServerAccess = {}): EventStoreAddress {
  const fail = (why: string): never => {
    throw new InvalidEventStoreAddress(text, why)
  }
  const match = /^([a-z+]+):\/\/(?:([^@]*)@)?([^/?#@]+)\/?(?:\?(.*))?$/.exec(text.trim())
  if (match === null) return fail('it must look like esdb://host:2113?tls=false or esdb+discover://host:2113')
  const [, scheme = '', user, hostList = '', query = ''] = match
  const isDiscovery = schemes[scheme]
  if (isDiscovery === undefined) return fail('it must begin with esdb:// or esdb+discover://')
  const hosts = hostList.split(',').map((host) => hostOf(host, fail))
  const settings = settingsOf(query, fail)
  const hasTls = booleanOf(settings.get('tls') ?? 'true', 'tls', fail)
  const credentials = userOf(user, access, fail)
  if (credentials.username !== undefined && !hasTls) {
    fail('with tls=false the user and the password would be sent to nobody: leave them out, or use TLS')
  }
  return {
    name: hosts.map(({ address, port }) => `${address}:${port}`).join(','),
    discover: isDiscovery || hosts.length > 1,
    hosts,
    ...credentials,
    ...tlsOf(settings, hasTls, access, fail),
    keepAliveIntervalMs: durationOf(settings, 'keepAliveInterval', keepAliveFloorMs, fail),
    keepAliveTimeoutMs: durationOf(settings, 'keepAliveTimeout', 1, fail),
  }
}

type Fail = (why: string) => never

function hostOf(text: string, fail: Fail): EventStoreHost {
  const match = /^(\[[^\]]+\]|[^:\s]+)(?::(\d+))?$/.exec(text.trim())
  if (match === null) return fail('there is something among the hosts that is no host')
  const [, address = '', port = `${defaultPort}`] = match
  if (Number(port) < 1 || Number(port) > 65_535) return fail('there is a host with no port of 1 to 65535')
  return { address, port: Number(port) }
}

type Credentials = Pick<EventStoreAddress, 'username' | 'password'>

function userOf(text: string | undefined, access: ServerAccess, fail: Fail): Credentials {
  const inAddress = text === undefined ? {} : credentialsOf(text, fail)
  const username = once('the user', inAddress.username, access.user, fail)
  const password = once('the password', inAddress.password, access.password, fail)
  if (username === undefined && password === undefined) return {}
  if (username === undefined || password === undefined) return fail('a user and a password belong together')
  return { username, password }
}

function credentialsOf(text: string, fail: Fail): Credentials {
  const [username, password, ...rest] = text.split(':')
  if (!username || rest.length > 0) {
    return fail('the user is written as user:password, with %3A for a colon in them')
  }
  try {
    const user = { username: decodeURIComponent(username) }
    return password === undefined ? user : { ...user, password: decodeURIComponent(password) }
  } catch {
    return fail('write % as %25 in the user and the password')
  }
}

/** What may stand in the address, or beside it. */
function once<T>(what: string, inAddress: T | undefined, beside: T | undefined, fail: Fail): T | undefined {
  const isTwice = inAddress !== undefined && beside !== undefined
  return isTwice ? fail(`${what} is set both in the address and beside it`) : (inAddress ?? beside)
}

function settingsOf(query: string, fail: Fail): ReadonlyMap<string, string> {
  const settings = new Map<string, string>()
  for (const [key, value] of new URLSearchParams(query)) {
    const name = settingNames.find((known) => known.toLowerCase() === key.toLowerCase())
    const shown = /^\w+$/.test(key) ? key : 'of that name'
    if (name === undefined) fail(`there is no setting ${shown}; there are ${settingNames.join(', ')}`)
    else if (settings.has(name)) fail(`${key} is there twice`)
    else settings.set(name, value)
  }
  return settings
}

function booleanOf(text: string, name: string, fail: Fail): boolean {
  return text === 'true' || text === 'false' ? text === 'true' : fail(`${name} must be true or false`)
}

function durationOf(settings: ReadonlyMap<string, string>, name: string, floor: number, fail: Fail): number {
  const text = settings.get(name)
  if (text === undefined) return keepAliveFloorMs
  const ms = Number(text)
  return Number.isInteger(ms) && ms >= floor
    ? ms
    : fail(`${name} is a number of milliseconds, at least ${floor}`)
}

function tlsOf(
  settings: ReadonlyMap<string, string>,
  hasTls: boolean,
  access: ServerAccess,
  fail: Fail,
): Pick<EventStoreAddress, 'tls'> {
  const file = (name: string, key: 'caFile' | 'certFile' | 'keyFile') => {
    const found = once(name, settings.get(name), access[key], fail)
    if (found !== undefined && !hasTls) fail(`${name} is only for tls=true`)
    return found === undefined ? {} : { [key]: found }
  }
  const files: ServerAccess = {
    ...file('tlsCAFile', 'caFile'),
    ...file('userCertFile', 'certFile'),
    ...file('userKeyFile', 'keyFile'),
  }
  if (!hasTls) return {}
  try {
    return { tls: readTlsFiles(files) }
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

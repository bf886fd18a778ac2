import { existsSync, readFileSync } from 'node:fs'

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
  readonly tls: boolean
  /** File with the certificates to trust instead of the system's. */
  readonly caFile?: string
  /** Files of a certificate and its key, for servers that know their users by certificate. */
  readonly userCertFile?: string
  readonly userKeyFile?: string
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
    super(`EventStoreDB address ${text.replace(/\/\/[^/?]*@/, '//...@')}: ${why}`)
    this.name = 'InvalidEventStoreAddress'
  }
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
 * `?`, `,`) is written with `%` in a password. Throws `InvalidEventStoreAddress`.
 *
 * Refuses what the client would drop without a word: a user without TLS, and settings that it does not know.
 */
export function parseEventStore(text: string): EventStoreAddress {
  const fail = (why: string): never => {
    throw new InvalidEventStoreAddress(text === '' ? '(empty)' : text, why)
  }
  const match = /^([a-z+]+):\/\/(?:([^@]*)@)?([^/?#@]+)\/?(?:\?(.*))?$/.exec(text.trim())
  if (match === null) return fail('it must look like esdb://host:2113?tls=false or esdb+discover://host:2113')
  const [, scheme = '', user, hostList = '', query = ''] = match
  const isDiscovery = schemes[scheme]
  if (isDiscovery === undefined) return fail('it must begin with esdb:// or esdb+discover://')
  const hosts = hostList.split(',').map((host) => hostOf(host, fail))
  const settings = settingsOf(query, fail)
  const tls = booleanOf(settings.get('tls') ?? 'true', 'tls', fail)
  const credentials = user === undefined ? {} : credentialsOf(user, fail)
  if (user !== undefined && !tls) {
    fail('with tls=false the user and the password would be sent to nobody: leave them out, or use TLS')
  }
  return {
    name: hosts.map(({ address, port }) => `${address}:${port}`).join(','),
    discover: isDiscovery || hosts.length > 1,
    hosts,
    tls,
    ...credentials,
    ...filesOf(settings, tls, fail),
    keepAliveIntervalMs: durationOf(settings, 'keepAliveInterval', keepAliveFloorMs, fail),
    keepAliveTimeoutMs: durationOf(settings, 'keepAliveTimeout', 1, fail),
  }
}

type Fail = (why: string) => never

function hostOf(text: string, fail: Fail): EventStoreHost {
  const match = /^(\[[^\]]+\]|[^:\s]+)(?::(\d+))?$/.exec(text.trim())
  if (match === null) return fail(`"${text}" is no host`)
  const [, address = '', port = `${defaultPort}`] = match
  if (Number(port) < 1 || Number(port) > 65_535) return fail(`${port} is no port`)
  return { address, port: Number(port) }
}

function credentialsOf(text: string, fail: Fail): { readonly username: string; readonly password: string } {
  const [username, password, ...rest] = text.split(':')
  if (!username || password === undefined || rest.length > 0) {
    return fail('the user is written as user:password, with %3A for a colon in them')
  }
  try {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) }
  } catch {
    return fail('write % as %25 in the user and the password')
  }
}

function settingsOf(query: string, fail: Fail): ReadonlyMap<string, string> {
  const settings = new Map<string, string>()
  for (const [key, value] of new URLSearchParams(query)) {
    const name = settingNames.find((known) => known.toLowerCase() === key.toLowerCase())
    if (name === undefined) fail(`there is no setting ${key}; there are ${settingNames.join(', ')}`)
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

function filesOf(settings: ReadonlyMap<string, string>, tls: boolean, fail: Fail) {
  const names = ['tlsCAFile', 'userCertFile', 'userKeyFile'] as const
  const [caFile, userCertFile, userKeyFile] = names.map((name) => {
    const file = settings.get(name)
    if (file === undefined) return undefined
    if (!tls) return fail(`${name} is only for tls=true`)
    return existsSync(file) ? file : fail(`there is no file ${file} (${name})`)
  })
  if ((userCertFile === undefined) !== (userKeyFile === undefined)) {
    fail('userCertFile and userKeyFile belong together')
  }
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(userCertFile === undefined || userKeyFile === undefined ? {} : { userCertFile, userKeyFile }),
  }
}

/** What the files hold, for the client. */
export const readCertificates = ({ caFile, userCertFile, userKeyFile }: EventStoreAddress) => ({
  ...(caFile === undefined ? {} : { rootCertificate: readFileSync(caFile) }),
  ...(userCertFile === undefined || userKeyFile === undefined
    ? {}
    : { userCertFile: readFileSync(userCertFile), userKeyFile: readFileSync(userKeyFile) }),
})

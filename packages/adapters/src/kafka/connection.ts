import { isIP } from 'node:net'
import type { SASLOptions } from 'kafkajs'
import { readTlsFiles, type ServerAccess, type TlsFiles } from '../system/index.js'

/** Where the brokers are, and how they are spoken to. */
export interface KafkaConnection {
  /** Host and port of at least one broker; the others are learnt from it. */
  readonly brokers: readonly string[]
  /** Undefined: plain text. Texts in PEM; without `ca` the system's own authorities are trusted. */
  readonly tls?: TlsFiles | undefined
  readonly sasl?: SASLOptions | undefined
}

export interface KafkaAccess extends ServerAccess {
  /** How the password is shown to the broker. @default 'plain' where there is a user */
  readonly sasl?: string
}

export const saslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const
const options = ['tls', 'sasl', 'ca'] as const
const defaultPort = 9092

/**
 * Reads `host:port,host:port` or `kafka://user:password@host:port,host:port?tls=true&sasl=scram-sha-512&ca=/path`; what
 * is in `access` need not be there, and must not be. Throws an `Error` that names the option and tells what is allowed.
 */
export function parseKafka(text: string, access: KafkaAccess = {}): KafkaConnection {
  const { credentials, hosts, query } = partsOf(text.trim())
  // Without an @ a user and a password may stand where hosts belong: that is not repeated.
  const isShown = !text.includes('://') || credentials !== undefined
  const brokers = hosts.split(',').map((host) => brokerOf(host, isShown))
  const given = new URLSearchParams(query)
  for (const name of given.keys()) {
    if (!(options as readonly string[]).includes(name)) {
      const shown = /^\w+$/.test(name) ? ` "${name}"` : ' of that name'
      throw new Error(`Kafka: there is no option${shown} in an address; allowed are ${options.join(', ')}`)
    }
  }
  const sasl = saslOf(once('sasl', given.get('sasl'), access.sasl), userOf(credentials, access))
  const tls = tlsOf(given.get('tls'), given.get('ca'), access)
  return { brokers, ...(tls && { tls }), ...(sasl && { sasl }) }
}

/** What may stand in the address, or beside it. */
function once(name: string, inAddress: string | null, beside: string | undefined): string | undefined {
  if (inAddress !== null && beside !== undefined) {
    throw new Error(`Kafka: ${name} is set both in the address and beside it`)
  }
  return inAddress ?? beside
}

function partsOf(text: string): { credentials: string | undefined; hosts: string; query: string } {
  if (text === '') throw new Error('Kafka: the address is empty; wanted is host:port')
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)
  if (scheme === null) return { credentials: undefined, hosts: text, query: '' }
  if (scheme[1]?.toLowerCase() !== 'kafka') {
    throw new Error(`Kafka: an address begins with kafka://, not with ${scheme[0]}`)
  }
  const rest = text.slice(scheme[0].length)
  const [place = '', query = ''] = splitOnce(rest, rest.indexOf('?'))
  if (!place.includes('@') && query.includes('@')) {
    throw new Error('Kafka: write ? in a user or a password as %3F')
  }
  // A password may have an @ in it that is not escaped; hosts have none.
  const [credentials, hosts] = splitOnce(place, place.lastIndexOf('@'))
  return hosts === undefined
    ? { credentials: undefined, hosts: withoutPath(place), query }
    : { credentials, hosts: withoutPath(hosts), query }
}

const splitOnce = (text: string, at: number): readonly [string, string?] =>
  at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]

const withoutPath = (hosts: string): string => hosts.replace(/\/$/, '')

function brokerOf(text: string, isShown: boolean): string {
  const [, host = '', , port = `${defaultPort}`] = /^([^:\s/]+)(:(\d+))?$/.exec(text.trim()) ?? []
  const isPort = Number(port) >= 1 && Number(port) <= 65_535
  if (host === '' || !isPort) {
    const shown = isShown ? `"${text}" is no broker` : 'there is no broker in the address'
    throw new Error(`Kafka: ${shown}; wanted is host:port`)
  }
  // What looks like an address of numbers but is none would be looked up as a name.
  if (/^[\d.]+$/.test(host) && isIP(host) === 0) throw new Error(`Kafka: "${host}" is no IP address`)
  return `${host}:${port}`
}

function tlsOf(tls: string | null, ca: string | null, access: ServerAccess): KafkaConnection['tls'] {
  if (tls !== null && tls !== 'true' && tls !== 'false') {
    throw new Error(`Kafka: the option tls is true or false, not "${tls}"`)
  }
  const caFile = once('ca', ca, access.caFile)
  const files: ServerAccess = { ...access, ...(caFile === undefined ? {} : { caFile }) }
  const asked = [files.caFile, files.certFile, files.keyFile].some((file) => file !== undefined)
  if (!asked) return tls === 'true' ? {} : undefined
  if (tls === 'false') throw new Error('Kafka: the option ca, and a certificate, need tls=true')
  try {
    return readTlsFiles(files)
  } catch (error) {
    throw new Error(`Kafka: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

interface User {
  readonly username?: string | undefined
  readonly password?: string | undefined
}

function userOf(credentials: string | undefined, { user, password }: ServerAccess): User | undefined {
  if (credentials === undefined) {
    return user === undefined && password === undefined ? undefined : { username: user, password }
  }
  const [username = '', inAddress = ''] = splitOnce(credentials, credentials.indexOf(':')).map(decoded)
  return {
    username: once('the user', username || null, user),
    password: once('the password', inAddress || null, password),
  }
}

function saslOf(name: string | undefined, user: User | undefined): SASLOptions | undefined {
  if (name === undefined && user === undefined) return undefined
  const mechanism = saslMechanisms.find((known) => known === (name ?? 'plain').toLowerCase())
  if (mechanism === undefined) {
    throw new Error(`Kafka: the option sasl is one of ${saslMechanisms.join(', ')}, not "${name}"`)
  }
  if (user === undefined) throw new Error('Kafka: the option sasl needs user:password@ before the hosts')
  const { username, password } = user
  if (!username || !password) throw new Error('Kafka: the option sasl needs both a user and a password')
  return { mechanism, username, password }
}

function decoded(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? '')
  } catch (error) {
    throw new Error('Kafka: user or password have a % that escapes nothing; write it as %25', {
      cause: error,
    })
  }
}

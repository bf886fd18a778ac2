import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { SASLOptions } from 'kafkajs'

/** Where the brokers are, and how they are spoken to. */
export interface KafkaConnection {
  /** Host and port of at least one broker; the others are learnt from it. */
  readonly brokers: readonly string[]
  /** Undefined: plain text. `ca` is in PEM; without it the system's own authorities are trusted. */
  readonly tls?: { readonly ca?: string } | undefined
  readonly sasl?: SASLOptions | undefined
}

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const
const options = ['tls', 'sasl', 'ca'] as const
const defaultPort = 9092

/**
 * Reads `host:port,host:port` or `kafka://user:password@host:port,host:port?tls=true&sasl=scram-sha-512&ca=/path`.
 * Throws an `Error` that names the option and tells what is allowed.
 */
export function parseKafka(text: string): KafkaConnection {
  const { credentials, hosts, query } = partsOf(text.trim())
  const brokers = hosts.split(',').map(brokerOf)
  const given = new URLSearchParams(query)
  for (const name of given.keys()) {
    if (!(options as readonly string[]).includes(name)) {
      throw new Error(`Kafka: there is no option "${name}" in an address; allowed are ${options.join(', ')}`)
    }
  }
  const sasl = saslOf(given.get('sasl'), credentials)
  const tls = tlsOf(given.get('tls'), given.get('ca'))
  return { brokers, ...(tls && { tls }), ...(sasl && { sasl }) }
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
  // A password may have an @ in it that is not escaped; hosts have none.
  const [credentials, hosts] = splitOnce(place, place.lastIndexOf('@'))
  return hosts === undefined
    ? { credentials: undefined, hosts: withoutPath(place), query }
    : { credentials, hosts: withoutPath(hosts), query }
}

const splitOnce = (text: string, at: number): readonly [string, string?] =>
  at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]

const withoutPath = (hosts: string): string => hosts.replace(/\/$/, '')

function brokerOf(text: string): string {
  const [, host = '', , port = `${defaultPort}`] = /^([^:\s/]+)(:(\d+))?$/.exec(text.trim()) ?? []
  const isPort = Number(port) >= 1 && Number(port) <= 65_535
  if (host === '' || !isPort) throw new Error(`Kafka: "${text}" is no broker; wanted is host:port`)
  // What looks like an address of numbers but is none would be looked up as a name.
  if (/^[\d.]+$/.test(host) && isIP(host) === 0) throw new Error(`Kafka: "${host}" is no IP address`)
  return `${host}:${port}`
}

function tlsOf(tls: string | null, ca: string | null): KafkaConnection['tls'] {
  if (tls !== null && tls !== 'true' && tls !== 'false') {
    throw new Error(`Kafka: the option tls is true or false, not "${tls}"`)
  }
  if (ca !== null && tls === 'false') throw new Error('Kafka: the option ca needs tls=true')
  if (ca === null) return tls === 'true' ? {} : undefined
  try {
    return { ca: readFileSync(ca, 'utf8') }
  } catch (error) {
    throw new Error(`Kafka: the file "${ca}" of the option ca can not be read`, { cause: error })
  }
}

function saslOf(name: string | null, credentials: string | undefined): SASLOptions | undefined {
  if (name === null && credentials === undefined) return undefined
  const mechanism = mechanisms.find((known) => known === (name ?? 'plain').toLowerCase())
  if (mechanism === undefined) {
    throw new Error(`Kafka: the option sasl is one of ${mechanisms.join(', ')}, not "${name}"`)
  }
  if (credentials === undefined)
    throw new Error('Kafka: the option sasl needs user:password@ before the hosts')
  const [username, password] = splitOnce(credentials, credentials.indexOf(':')).map(decoded)
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

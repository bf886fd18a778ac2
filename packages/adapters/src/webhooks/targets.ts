import { addressOf, isPublic, type Range, rangeOf } from './addresses.js'

/** Where messages may go. */
export interface TargetPolicy {
  /** Also without TLS. @default false */
  readonly http: boolean
  /** Ports that may be called. */
  readonly ports: readonly number[]
  /** Hosts and networks that may be called although they are not public, and on any port. */
  readonly allow: readonly AllowEntry[]
}

export interface AllowEntry {
  /** In lower case; `*.` at its beginning stands for any names before. Null: the range says it. */
  readonly host: string | null
  readonly range: Range | null
  /** Null: any. */
  readonly port: number | null
}

/** `10.0.0.0/8`, `hooks.example`, `*.corp.example`, `127.0.0.1:8080`, `[::1]:8080`. Undefined: it is none of these. */
export function parseAllowEntry(text: string): AllowEntry | undefined {
  const whole = rangeOf(text)
  if (whole !== undefined) return { host: null, range: whole, port: null }
  const [, name = '', portText] = /^(\[[^\]]+\]|[^:[\]/]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  const port = portText === undefined ? null : Number(portText)
  if (port !== null && (port < 1 || port > 65_535)) return undefined
  const range = rangeOf(name)
  if (range !== undefined) return { host: null, range, port }
  const host = plainHost(name)
  if (!/^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(host))
    return undefined
  // Digits at the end would be an address, in a spelling that is none of ours.
  return /(^|\.)(\d+|0x[0-9a-f]*)$/.test(host) ? undefined : { host, range: null, port }
}

/** Without the points at its end, which make it no other host. */
const plainHost = (host: string): string => host.toLowerCase().replace(/\.+$/, '')

/** Decides what may be called: by its address when it is written down, by that of the machine when it is called. */
export class Targets {
  private readonly policy: TargetPolicy

  constructor(policy: TargetPolicy) {
    this.policy = policy
  }

  /** What is wrong with an address, as far as that can be said without asking for its host; undefined: nothing. */
  problemOf(text: string): string | undefined {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined || !/^https?:\/\//i.test(text)) {
      return 'must be an absolute address with https, such as https://example.com/hook'
    }
    if (url.protocol === 'http:' && !this.policy.http) {
      return 'must be https: without TLS everybody on the way could read it (ALMANAC_WEBHOOK_HTTP allows http)'
    }
    if (url.username !== '' || url.password !== '') {
      return 'must have no user and no password in it: messages are signed, so check the signature'
    }
    if (url.hash !== '') return 'must have no fragment (#): it would not be sent'
    return this.problemOfPlace(plainHost(url.hostname), portOf(url))
  }

  private problemOfPlace(host: string, port: number): string | undefined {
    if (addressOf(host) !== undefined) return this.problemAt(host, port, host)
    const named = this.policy.allow.filter((entry) => namesHost(entry, host))
    if (named.some((entry) => opensPort(entry, port))) return undefined
    if (host === 'localhost' || host.endsWith('.localhost')) return notPublic(host)
    const mayBeAllowed = this.policy.allow.some((entry) => entry.range !== null && opensPort(entry, port))
    return this.policy.ports.includes(port) || mayBeAllowed ? undefined : this.wrongPort(port)
  }

  /** Whether a connection to the address may be made, for the host of the URL; undefined: yes. */
  problemAt(host: string, port: number, machine: string): string | undefined {
    const address = addressOf(machine)
    if (address === undefined) return `${machine} is no address`
    const plain = plainHost(host)
    const entries = this.policy.allow.filter(
      (entry) => namesHost(entry, plain) || entry.range?.has(address) === true,
    )
    if (entries.some((entry) => opensPort(entry, port))) return undefined
    if (!isPublic(address)) return notPublic(machine === host ? host : `${host} (${machine})`)
    return this.policy.ports.includes(port) ? undefined : this.wrongPort(port)
  }

  private wrongPort(port: number): string {
    return `port ${port} may not be called, only ${this.policy.ports.join(', ')} (ALMANAC_WEBHOOK_PORTS)`
  }
}

export const portOf = ({ port, protocol }: URL): number =>
  port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)

const notPublic = (what: string): string =>
  `${what} is no machine of the public Internet (ALMANAC_WEBHOOK_ALLOW allows some that are not)`

const namesHost = ({ host }: AllowEntry, name: string): boolean =>
  host !== null && (host.startsWith('*.') ? name.endsWith(host.slice(1)) : name === host)

const opensPort = (entry: AllowEntry, port: number): boolean => entry.port === null || entry.port === port

import { environmentName, type OptionValue } from '@almanac/adapters/system'
import { type JwtOptions, JwtVerifier, jwtAlgorithms, type KeyText, readKey } from '@almanac/adapters/tokens'
import type { AccessOptions, RateOptions } from '@almanac/api'
import type { Clock, Queries, RateLimiter } from '@almanac/engine'
import { callerOptions } from './caller-options.js'
import { secretOf } from './secret-file.js'
import { StartProblem } from './start-problem.js'

/** How callers get in, as it is configured. */
export interface Callers {
  /** Only this machine can reach the server. */
  readonly isLocal: boolean
  readonly bootstrap: KeyText | null
  readonly jwt: JwtOptions | null
  /** Requests a second of one credential, and of all in one namespace; 0: as many as they like. */
  readonly rates: { readonly caller: number; readonly namespace: number }
}

type Values = ReadonlyMap<string, OptionValue>

const loopback = new Set(['127.0.0.1', 'localhost', '::1', '[::1]'])

/** Reads the file too. A sentence for each problem; none has a secret in it. */
export function callersOf(values: Values): {
  readonly callers: Callers
  readonly problems: readonly string[]
} {
  const problems: string[] = []
  const report = (problem: string) => void problems.push(problem)
  const callers = {
    isLocal: loopback.has(String(values.get('host')).toLowerCase()),
    bootstrap: bootstrapIn(values, report),
    jwt: jwtIn(values, report),
    rates: { caller: Number(values.get('callerRate')), namespace: Number(values.get('namespaceRate')) },
  }
  return { callers, problems }
}

export const isCallerOption = (option: string): boolean => Object.hasOwn(callerOptions, option)

const textOf = (values: Values, option: string): string | undefined => {
  const value = values.get(option)
  return typeof value === 'string' ? value : undefined
}

function bootstrapIn(values: Values, report: (problem: string) => void): KeyText | null {
  const text = secretOf(
    {
      option: 'bootstrapKey',
      value: textOf(values, 'bootstrapKey'),
      file: textOf(values, 'bootstrapKeyFile'),
    },
    report,
  )
  if (text === undefined) return null
  const key = readKey(text)
  if (key !== undefined) return key
  report(
    `${environmentName('bootstrapKey')} is no key: it must be alm_, 12 of 0-9 and a-z, a point, and 43 or more ` +
      'random characters. `almanac keys generate` prints one.',
  )
  return null
}

function jwtIn(values: Values, report: (problem: string) => void): JwtOptions | null {
  const needed = ['jwtJwks', 'jwtIssuer', 'jwtAudience'] as const
  const missing = needed.filter((option) => textOf(values, option) === undefined)
  if (missing.length === needed.length) return null
  if (missing.length > 0) {
    const names = missing.map(environmentName).join(' and ')
    report(`Tokens are to be taken, and ${names} ${missing.length > 1 ? 'are' : 'is'} not set.`)
    return null
  }
  const algorithms = String(values.get('jwtAlgorithms'))
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  const unknown = algorithms.filter((name) => !jwtAlgorithms.includes(name))
  if (unknown.length > 0 || algorithms.length === 0) {
    const among = `must have some of ${jwtAlgorithms.join(', ')}`
    report(
      `${environmentName('jwtAlgorithms')} ${among}${unknown.length > 0 ? `, not ${unknown.join(', ')}` : ''}.`,
    )
    return null
  }
  return {
    jwks: textOf(values, 'jwtJwks') ?? '',
    issuer: textOf(values, 'jwtIssuer') ?? '',
    audience: textOf(values, 'jwtAudience') ?? '',
    algorithms,
    scopeClaim: String(values.get('jwtScopeClaim')),
    namespaceClaim: String(values.get('jwtNamespaceClaim')),
  }
}

/** What the API lets callers in by. Throws `StartProblem` when the keys of the issuer can't be used. */
export function accessFor({ isLocal, bootstrap, jwt }: Callers, clock: Pick<Clock, 'now'>): AccessOptions {
  const key = bootstrap === null ? {} : { bootstrap }
  if (jwt === null) return { isLocal, ...key }
  try {
    return { isLocal, ...key, tokens: new JwtVerifier(jwt, clock) }
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    throw new StartProblem(`${environmentName('jwtJwks')}: ${words}.`, error)
  }
}

/** How often callers may ask: counted by the limiter. */
export function ratesFor({ rates: { caller, namespace } }: Callers, limiter: RateLimiter): RateOptions {
  const rate = (perSecond: number) =>
    perSecond === 0 ? null : { perSecond, burst: Math.max(1, Math.floor(perSecond)) }
  return { limiter, perCaller: rate(caller), perNamespace: rate(namespace) }
}

/** Throws `StartProblem` when a server that others can reach is one that nobody could get into. */
export function refuseUnentered(
  { isLocal, bootstrap, jwt }: Omit<Callers, 'rates'>,
  host: string,
  queries: Pick<Queries, 'keys'>,
): void {
  if (isLocal || bootstrap !== null || jwt !== null || (queries.keys()?.length ?? 0) > 0) return
  throw new StartProblem(
    `${environmentName('host')} is ${host}, which others can reach, and nobody could get in: there are no keys. Set ` +
      `${environmentName('bootstrapKeyFile')} or ${environmentName('jwtJwks')}, or make a key on loopback first ` +
      '(almanac keys create).',
  )
}

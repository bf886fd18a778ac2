import { readFileSync } from 'node:fs'
import { isScope, type Scope } from '@almanac/domain'
import { type Clock, unavailable } from '@almanac/engine'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'

/** Signatures with two keys only: with a shared secret, whoever can check a token could make one. */
export const jwtAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
]

export interface JwtOptions {
  /** `https://…` (or `http://` on loopback) of the issuer's keys, or a file with them. */
  readonly jwks: string
  readonly issuer: string
  readonly audience: string
  /** Some of `jwtAlgorithms`. */
  readonly algorithms: readonly string[]
  /** Claim with scopes: a text with blanks between, or a list. What is no scope of Almanac's is passed over. */
  readonly scopeClaim: string
  /** Claim with namespaces: one name or a list; `*`: all. Without it the token opens none. */
  readonly namespaceClaim: string
}

/** What a good token says. */
export interface JwtClaims {
  readonly subject: string
  readonly scopes: readonly Scope[]
  /** Null: all. */
  readonly namespaces: readonly string[] | null
  readonly expiresAt: number
}

/**
 * Checks tokens: signature by the issuer's keys, algorithm by the list, issuer, audience, and time by the clock, with
 * 30 s to spare. Tokens without end or subject are not taken, nor those that live for longer than a day.
 */
export class JwtVerifier {
  private readonly options: JwtOptions
  private readonly clock: Pick<Clock, 'now'>
  private readonly keys: JWTVerifyGetKey

  /** Throws an `Error` in words when the file of keys can't be used, or the address must not. */
  constructor(options: JwtOptions, clock: Pick<Clock, 'now'>) {
    this.options = options
    this.clock = clock
    this.keys = keysOf(options.jwks)
  }

  /** Undefined: not good. Rejects with `PortFault` when the issuer's keys can't be had. */
  async verify(token: string): Promise<JwtClaims | undefined> {
    const { issuer, audience, algorithms } = this.options
    try {
      const { payload } = await jwtVerify(token, this.keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ['sub', 'exp', 'iat'],
        clockTolerance: toleranceS,
        currentDate: new Date(this.clock.now()),
      })
      return this.claimsOf(payload)
    } catch (error) {
      if (error instanceof errors.JWKSTimeout || !isOfToken(error)) {
        throw unavailable(`the keys of ${issuer} can not be had`, error)
      }
      return undefined
    }
  }

  private claimsOf(payload: JWTPayload): JwtClaims | undefined {
    const { scopeClaim, namespaceClaim } = this.options
    const { sub: subject, exp = 0, iat = 0 } = payload
    if (subject === undefined || !/^[^\p{Cc}\p{Cs}]{1,200}$/u.test(subject) || exp - iat > maxLifeS)
      return undefined
    const namespaces = textsIn(payload[namespaceClaim])
    return {
      subject,
      scopes: textsIn(payload[scopeClaim])
        .flatMap((text) => text.split(' '))
        .filter(isScope),
      namespaces: namespaces.includes('*') ? null : namespaces,
      expiresAt: (exp + toleranceS) * 1_000,
    }
  }
}

const toleranceS = 30
const maxLifeS = 86_400

const textsIn = (claim: unknown): readonly string[] =>
  [claim].flat().filter((one): one is string => typeof one === 'string')

/** What is wrong with the token itself, and not with how the keys were fetched. */
const isOfToken = (error: unknown): boolean =>
  error instanceof errors.JWTInvalid ||
  error instanceof errors.JWTExpired ||
  error instanceof errors.JWTClaimValidationFailed ||
  error instanceof errors.JWSInvalid ||
  error instanceof errors.JWSSignatureVerificationFailed ||
  error instanceof errors.JOSEAlgNotAllowed ||
  error instanceof errors.JOSENotSupported ||
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys

function keysOf(jwks: string): JWTVerifyGetKey {
  if (!/^https?:\/\//i.test(jwks)) return createLocalJWKSet(keysIn(jwks))
  const url = new URL(jwks)
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (url.protocol === 'http:' && !isLocal) {
    throw new Error(
      'the keys of an issuer are fetched by https only: whoever can change them on the way gets in',
    )
  }
  return createRemoteJWKSet(url, { timeoutDuration: 5_000, cooldownDuration: 30_000, cacheMaxAge: 600_000 })
}

function keysIn(file: string): JSONWebKeySet {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`the file "${file}" can not be read`, { cause: error })
  }
  try {
    const set = JSON.parse(text) as JSONWebKeySet
    createLocalJWKSet(set)
    return set
  } catch (error) {
    throw new Error(`the file "${file}" has no JSON Web Key Set`, { cause: error })
  }
}

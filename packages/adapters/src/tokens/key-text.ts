import { createHash, timingSafeEqual } from 'node:crypto'
import type { Random } from '@almanac/engine'

/** A key as its user has it: `alm_<key id>.<secret>`. */
export interface KeyText {
  readonly keyId: string
  readonly secretHash: string
}

const form = /^alm_([0-9a-z]{12})\.([0-9A-Za-z_-]{43,128})$/

/** Undefined: this is no key. */
export function readKey(text: string): KeyText | undefined {
  const [, keyId, secret] = form.exec(text) ?? []
  return keyId === undefined || secret === undefined ? undefined : { keyId, secretHash: hashOf(secret) }
}

/** A key with 256 bits of chance in its secret, so that a plain hash of it can't be turned back. */
export function newKey(random: Pick<Random, 'token'>): KeyText & { readonly text: string } {
  const keyId = random.token(6)
  const secret = Buffer.from(random.token(32), 'hex').toString('base64url')
  return { keyId, secretHash: hashOf(secret), text: `alm_${keyId}.${secret}` }
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** In a time that tells nothing of where they differ. */
export const sameHash = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))

import type { Instant } from '@almanac/recurrence'

/** What a credential may be good for. `admin` stands for all of them, and for the administration of keys. */
export const scopes = [
  'tasks:read',
  'tasks:write',
  'runs:read',
  'runs:work',
  'audit:read',
  'cluster:read',
  'admin',
] as const
export type Scope = (typeof scopes)[number]

/** What a key is for; fixed for life. */
export interface ApiKeySpec {
  /** Who acts with it, as histories show it: 1 to 100 characters, unique among the keys that can still be used. */
  readonly name: string
  /** The one namespace that it opens; null: all of them. */
  readonly namespace: string | null
  /** In the order of `scopes`, at least one. */
  readonly scopes: readonly Scope[]
  /** From then on it opens nothing; null: never. */
  readonly expiresAt: Instant | null
}

export interface ApiKey extends ApiKeySpec {
  /** The part of the key that is no secret. */
  readonly keyId: string
  /** SHA-256 of the secret part, as hex. */
  readonly secretHash: string
  readonly createdAt: Instant
  readonly createdBy: string
  readonly revokedAt: Instant | null
  readonly revokedBy: string | null
  /** To the day: when a node last noted that it was used. */
  readonly usedAt: Instant | null
}

/** Events of the stream `keys`, which all keys share: there are few, and each node has them all in memory. */
export type KeyEvent =
  | {
      readonly type: 'ApiKeyCreated'
      readonly data: { readonly keyId: string; readonly secretHash: string; readonly spec: ApiKeySpec }
    }
  | { readonly type: 'ApiKeyRevoked'; readonly data: { readonly keyId: string } }
  | { readonly type: 'ApiKeyUsed'; readonly data: { readonly keyId: string } }

/** All keys that there have ever been. */
export interface KeyRing {
  readonly keys: ReadonlyMap<string, ApiKey>
  readonly revision: number
  readonly hash: string
}

import { type KeyText, readKey, sameHash } from '@almanac/adapters/tokens'
import { type ApiKey, isLive, type Scope, scopes } from '@almanac/domain'
import type { Application, Clock } from '@almanac/engine'
import { ApiProblem } from '../problem.js'
import type { Principal } from './principal.js'

/** What a token says of who shows it, when it is good. */
export interface TokenClaims {
  /** Who, as the issuer names him. */
  readonly subject: string
  readonly scopes: readonly Scope[]
  /** Null: all. */
  readonly namespaces: readonly string[] | null
  readonly expiresAt: number
}

/** Checks tokens of somebody else (JWT). */
export interface TokenVerifier {
  /** Rejects with `PortFault` when the issuer's keys can't be had. Undefined: the token is not good. */
  verify(token: string): Promise<TokenClaims | undefined>
}

export interface AccessOptions {
  /** A key of the configuration, which opens everything. */
  readonly bootstrap?: KeyText
  readonly tokens?: TokenVerifier
  /** The server is reached from this machine alone: until a key has been made, nobody has to show one. */
  readonly isLocal: boolean
}

type Parts = AccessOptions & {
  readonly app: Pick<Application, 'commands' | 'queries'>
  readonly clock: Clock
}

/** Who is let in: with a credential, for what it grants; without, to a server of one machine that has no keys yet. */
export class Access {
  private readonly parts: Parts
  /** When each key was used last, as far as this node knows. */
  private readonly uses = new Map<string, number>()
  private readonly noting = new Map<string, number>()

  constructor(parts: Parts) {
    this.parts = parts
  }

  /** Whether requests without a credential are taken. Undefined: not known yet. */
  isOpen(): boolean | undefined {
    const { isLocal, bootstrap, tokens, app } = this.parts
    if (!isLocal || bootstrap !== undefined || tokens !== undefined) return false
    const keys = app.queries.keys()
    return keys === undefined ? undefined : keys.length === 0
  }

  /** By the header `Authorization`. Throws the problem that the request is answered with. */
  identify(authorization: string | undefined): Principal | Promise<Principal> {
    if (authorization === undefined) return this.anonymous()
    const [, shown] = /^bearer +(\S+) *$/i.exec(authorization) ?? []
    if (shown === undefined) throw unauthenticated('The header Authorization must be: Bearer <key or token>.')
    if (shown.startsWith('alm_')) return this.byKey(shown)
    return this.byToken(shown)
  }

  usedAt(key: ApiKey): number | null {
    return Math.max(this.uses.get(key.keyId) ?? 0, key.usedAt ?? 0) || null
  }

  private anonymous(): Principal {
    const isOpen = this.isOpen()
    if (isOpen === undefined) throw new ApiProblem('not_ready')
    if (!isOpen) throw unauthenticated('Send a key: Authorization: Bearer alm_….')
    return { id: null, actor: 'anonymous', namespaces: null, scopes, isLive: () => this.isOpen() === true }
  }

  private byKey(text: string): Principal {
    const { bootstrap, clock } = this.parts
    const shown = readKey(text)
    if (shown === undefined) throw unauthenticated('This is no key: it has another form.')
    if (bootstrap?.keyId === shown.keyId && sameHash(bootstrap.secretHash, shown.secretHash)) {
      return { id: 'bootstrap', actor: 'bootstrap', namespaces: null, scopes, isLive: () => true }
    }
    const key = this.parts.app.queries.key(shown.keyId)
    if (key === undefined && this.parts.app.queries.keys() === undefined) throw new ApiProblem('not_ready')
    // One answer for all of these, so that nobody learns which keys there are.
    if (key === undefined || !sameHash(key.secretHash, shown.secretHash) || !isLive(key, clock.now())) {
      throw unauthenticated('This key opens nothing: it is unknown, expired or revoked.')
    }
    this.note(key)
    const namespaces = key.namespace === null ? null : [key.namespace]
    const { keyId: id } = key
    return { id, actor: key.name, namespaces, scopes: key.scopes, isLive: () => this.isKeyLive(key.keyId) }
  }

  private isKeyLive(keyId: string): boolean {
    const key = this.parts.app.queries.key(keyId)
    return key !== undefined && isLive(key, this.parts.clock.now())
  }

  private async byToken(token: string): Promise<Principal> {
    const { tokens, clock } = this.parts
    if (tokens === undefined) throw unauthenticated('This is no key, and tokens are not taken here.')
    const claims = await tokens.verify(token)
    if (claims === undefined) throw unauthenticated('The token is not good, or not any more.')
    const { subject, scopes: granted, namespaces, expiresAt } = claims
    return {
      id: `token ${subject}`,
      actor: subject,
      namespaces,
      scopes: granted,
      isLive: () => clock.now() < expiresAt,
    }
  }

  /** Remembers the use, and has it written down once a day, so that it outlives this node. Nobody waits for that. */
  private note(key: ApiKey): void {
    const { clock, app } = this.parts
    const now = clock.now()
    this.uses.set(key.keyId, now)
    if (key.usedAt !== null && now - key.usedAt < dayMs) return
    if (now - (this.noting.get(key.keyId) ?? 0) < retryMs) return
    this.noting.set(key.keyId, now)
    const namespace = key.namespace ?? everywhere
    const context = { namespace, actor: key.name, at: now, correlationId: `use of ${key.keyId}` }
    // What could not be written is written at a later use.
    app.commands.useKey(context, key.keyId).catch(() => {})
  }
}

export const unauthenticated = (detail: string): ApiProblem => new ApiProblem('unauthenticated', detail)

/** The namespace in the metadata of events that belong to none. No namespace can have this name. */
export const everywhere = '*'

const dayMs = 86_400_000
const retryMs = 60_000

import { type ApiKey, type Scope, scopes } from '@almanac/domain'
import { type Static, Type } from 'typebox'
import { isoOf, isoOrNull } from '../instant-text.js'
import { closed, count, instant, listOf, nameText, nullOr, oneOf, reason, text } from './shape.js'

const scopeList = Type.Array(oneOf(scopes), {
  maxItems: scopes.length,
  description: 'What it is good for. `admin` stands for all.',
})
const namespace = nullOr(text('The one namespace that it opens; null: all.', 63))

export const NewKeyBody = closed({
  name: nameText('Who acts with it, as histories show it. Unique among the keys that can still be used.'),
  namespace: Type.Optional(namespace),
  scopes: scopeList,
  expiresAt: Type.Optional(nullOr(instant('From then on it opens nothing; null: never.'))),
  reason,
})
export type NewKeyBody = Static<typeof NewKeyBody>

const keyFields = {
  id: text('The part of the key that is no secret.'),
  name: Type.String(),
  namespace,
  scopes: scopeList,
  createdAt: instant('When it was made.'),
  createdBy: text('By whom.'),
  expiresAt: nullOr(instant('From then on it opens nothing.')),
  revokedAt: nullOr(instant('When it was revoked.')),
  revokedBy: nullOr(text('By whom.')),
  lastUsedAt: nullOr(
    instant('Last use: exact on the node that was used, to the day on others and after a restart.'),
  ),
  live: Type.Boolean({ description: 'Whether it opens anything now.' }),
}

export const ApiKeyJson = Type.Object(keyFields)
export type ApiKeyJson = Static<typeof ApiKeyJson>

export const CreatedKeyJson = Type.Object({
  ...keyFields,
  key: nullOr(
    text(
      'The whole key, told this once and kept nowhere. Null in the answer to a request that is repeated with its ' +
        '`Idempotency-Key`: if the first answer was lost, revoke this key and make another.',
    ),
  ),
})

export const KeyList = listOf(ApiKeyJson)
export const KeyListQuery = closed({
  live: Type.Optional(
    Type.Boolean({ description: 'Only those that open something now, or only the others.' }),
  ),
  limit: Type.Optional(count('Keys of a page; more than 200 means 200. Default 100.', 1)),
  cursor: Type.Optional(text('`nextCursor` of the page before.', 100)),
})

interface Seen {
  readonly live: boolean
  readonly lastUsedAt: number | null
}

export const keyJson = (key: ApiKey, { live, lastUsedAt }: Seen): ApiKeyJson => ({
  id: key.keyId,
  name: key.name,
  namespace: key.namespace,
  scopes: [...key.scopes] as Scope[],
  createdAt: isoOf(key.createdAt),
  createdBy: key.createdBy,
  expiresAt: isoOrNull(key.expiresAt),
  revokedAt: isoOrNull(key.revokedAt),
  revokedBy: key.revokedBy,
  lastUsedAt: isoOrNull(lastUsedAt),
  live,
})

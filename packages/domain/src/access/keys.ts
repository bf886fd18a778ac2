import { type Instant, type Result, show } from '@almanac/recurrence'
import type { RecordedEvent } from '../event.js'
import { FieldReader } from '../field-reader.js'
import { accept, type Decision, invalid, refuse } from '../refusal.js'
import { type ApiKey, type ApiKeySpec, type KeyEvent, type KeyRing, type Scope, scopes } from './types.js'

/** Keys that can be used at the same time. */
export const maxLiveKeys = 1_000
const dayMs = 86_400_000

/** The keys after one more event. Total, like `evolveTask`. */
export function evolveKeys(ring: KeyRing | undefined, event: RecordedEvent): KeyRing {
  const step = { revision: event.revision, hash: event.hash }
  const known = ring?.keys ?? new Map<string, ApiKey>()
  const next = changedKey(known, event as RecordedEvent & KeyEvent)
  return { keys: next === undefined ? known : new Map(known).set(next.keyId, next), ...step }
}

function changedKey(
  known: ReadonlyMap<string, ApiKey>,
  { type, data, metadata }: RecordedEvent & KeyEvent,
): ApiKey | undefined {
  const { at, actor } = metadata
  if (type === 'ApiKeyCreated') {
    const { keyId, secretHash, spec } = data
    const unused = { revokedAt: null, revokedBy: null, usedAt: null }
    return { ...spec, keyId, secretHash, createdAt: at, createdBy: actor, ...unused }
  }
  const key = known.get(data.keyId)
  if (key === undefined) return undefined
  if (type === 'ApiKeyRevoked') return { ...key, revokedAt: at, revokedBy: actor }
  return type === 'ApiKeyUsed' ? { ...key, usedAt: at } : undefined
}

/** Whether the key opens anything at that time. */
export const isLive = ({ revokedAt, expiresAt }: ApiKey, at: Instant): boolean =>
  revokedAt === null && (expiresAt === null || at < expiresAt)

export type KeyCommand =
  | {
      readonly type: 'create'
      readonly keyId: string
      readonly secretHash: string
      readonly input: unknown
      readonly at: Instant
      /** Until this key is made everybody may do everything: then nobody may without a key. */
      readonly isOpen: boolean
    }
  | { readonly type: 'revoke'; readonly keyId: string }
  /** Notes at most once a day that the key was used. */
  | { readonly type: 'use'; readonly keyId: string; readonly at: Instant }

/** Never throws on JSON input. */
export function decideKeys(ring: KeyRing | undefined, command: KeyCommand): Decision<KeyEvent> {
  const keys = ring?.keys ?? new Map<string, ApiKey>()
  if (command.type === 'create') return create(keys, command)
  const key = keys.get(command.keyId)
  if (key === undefined) return refuse('not_found', 'there is no such key')
  const { keyId } = key
  if (command.type === 'revoke') {
    return key.revokedAt === null ? accept({ type: 'ApiKeyRevoked', data: { keyId } }) : accept()
  }
  const isNoted = key.usedAt !== null && command.at - key.usedAt < dayMs
  return isNoted ? accept() : accept({ type: 'ApiKeyUsed', data: { keyId } })
}

function create(
  keys: ReadonlyMap<string, ApiKey>,
  { keyId, secretHash, input, at, isOpen }: Extract<KeyCommand, { readonly type: 'create' }>,
): Decision<KeyEvent> {
  const spec = validateKeySpec(input, at)
  if (!spec.ok) return invalid(spec.error)
  const live = [...keys.values()].filter((key) => isLive(key, at))
  if (live.some(({ name }) => name === spec.value.name)) {
    return refuse('already_exists', 'there is a key of this name that can still be used')
  }
  if (live.length >= maxLiveKeys) {
    const message = `there are ${maxLiveKeys} keys already: revoke some first`
    return refuse('invalid', message, [{ path: 'name', code: 'too_many', message }])
  }
  const opensAll = spec.value.scopes.includes('admin') && spec.value.namespace === null
  if (isOpen && !opensAll) {
    const message =
      'must have admin, and namespace be null, for the first key: else nobody could make another'
    return refuse('invalid', `scopes ${message}`, [{ path: 'scopes', code: 'first_key_not_admin', message }])
  }
  if (keys.has(keyId)) return refuse('already_exists', 'there is a key of this id')
  return accept({ type: 'ApiKeyCreated', data: { keyId, secretHash, spec: spec.value } })
}

const fields = ['name', 'namespace', 'scopes', 'expiresAt'] as const satisfies (keyof ApiKeySpec)[]
const namespaceForm = /^[a-z0-9][a-z0-9-]{0,62}$/

/** `at`: the time of the command, before which no key may expire. */
export function validateKeySpec(input: unknown, at: Instant): Result<ApiKeySpec> {
  const read = FieldReader.of(input, fields, '')
  for (const field of ['name', 'scopes']) read.require(field)
  const expiresAt = read.instantOrNull('expiresAt', null)
  if (expiresAt !== null && expiresAt <= at) {
    read.refuse('expiresAt', 'in_the_past', 'must lie in the future')
  }
  return read.result({
    name: read.text('name', { max: 100, filled: true }, ''),
    namespace: readNamespace(read),
    scopes: readScopes(read),
    expiresAt,
  })
}

function readNamespace(read: FieldReader): string | null {
  const value = read.fields.get('namespace') ?? null
  if (value === null || (typeof value === 'string' && namespaceForm.test(value))) return value
  read.refuse('namespace', 'bad_namespace', 'must be 1 to 63 of a-z, 0-9 and -, or null for all')
  return null
}

function readScopes(read: FieldReader): readonly Scope[] {
  const value = read.fields.get('scopes')
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length === 0) {
    read.refuse('scopes', 'not_a_list', `must be a list of at least one of ${scopes.join(', ')}`)
    return []
  }
  for (const [index, one] of value.entries()) {
    if (isScope(one)) continue
    read.refuse(`scopes[${index}]`, 'unknown_choice', `must be one of ${scopes.join(', ')}, not ${show(one)}`)
  }
  return scopes.filter((scope) => value.includes(scope))
}

export const isScope = (value: unknown): value is Scope => scopes.some((scope) => scope === value)

/** Whether who has `granted` may do what asks for `wanted`. */
export const grants = (granted: readonly Scope[], wanted: Scope): boolean =>
  granted.includes(wanted) || granted.includes('admin')

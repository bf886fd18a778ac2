import { describe, expect, it } from 'vitest'
import { hour, minute, noon, specification } from '../decider.spec-support.js'
import { decideKeys, evolveKeys, grants, isLive, type KeyCommand, maxLiveKeys } from './keys.js'
import { type KeyEvent, scopes } from './types.js'

const given = specification({
  stream: 'keys',
  decide: (state, command: KeyCommand) => decideKeys(state, command),
  evolve: evolveKeys,
  context: {},
})
const later = noon + 30 * 24 * hour
const spec = { name: 'root', namespace: null, scopes: ['admin'] as const, expiresAt: null }
const created = (keyId: string, more: object = {}): KeyEvent => ({
  type: 'ApiKeyCreated',
  data: { keyId, secretHash: 'h', spec: { ...spec, ...more } },
})
const root = created('k0')
const create = (input: object, keyId = 'k1', isOpen = false): KeyCommand => ({
  type: 'create',
  keyId,
  secretHash: 'h',
  input,
  at: noon + hour,
  isOpen,
})

describe('a key', () => {
  it('is made with a name, scopes, and an end', () => {
    const input = { name: 'ci', namespace: 'shop', scopes: ['tasks:write', 'tasks:read'], expiresAt: later }
    given(root)
      .when(create(input))
      .thenEvents(created('k1', { ...input, scopes: ['tasks:read', 'tasks:write'] }))
    given(root)
      .when(create({ name: 'ci', scopes: ['tasks:read'] }))
      .thenEvents(created('k1', { name: 'ci', scopes: ['tasks:read'] }))
  })

  it.each<[object, ...string[]]>([
    [{}, 'name required', 'scopes required'],
    [{ name: ' ', scopes: ['admin'] }, 'name empty'],
    [{ name: 'x', scopes: [] }, 'scopes not_a_list'],
    [{ name: 'x', scopes: ['admin', 'root'] }, 'scopes[1] unknown_choice'],
    [{ name: 'x', scopes: ['admin'], namespace: 'Shop' }, 'namespace bad_namespace'],
    [{ name: 'x', scopes: ['admin'], expiresAt: noon + hour }, 'expiresAt in_the_past'],
    [{ name: 'x', scopes: ['admin'], expires: later }, 'expires unknown_key'],
  ])('%j is refused', (input, ...problems) => {
    given(root)
      .when(create(input))
      .thenRefused('invalid', ...problems)
  })

  it('has a name that no other key has which can still be used', () => {
    given(root)
      .when(create({ name: 'root', scopes: ['admin'] }))
      .thenRefused('already_exists')
    given(root, { type: 'ApiKeyRevoked', data: { keyId: 'k0' } })
      .when(create({ name: 'root', scopes: ['tasks:read'] }))
      .thenEvents(created('k1', { scopes: ['tasks:read'] }))
    given(root, created('k1', { name: 'ci', expiresAt: noon + 30 * minute }))
      .when(create({ name: 'ci', scopes: ['tasks:read'] }, 'k2'))
      .thenEvents(created('k2', { name: 'ci', scopes: ['tasks:read'] }))
  })

  it.each([{ scopes: ['tasks:write'] }, { scopes: ['admin'], namespace: 'shop' }])(
    'of a server that is open must be able to make others: %j',
    (input) => {
      given()
        .when(create({ name: 'first', ...input }, 'k1', true))
        .thenRefused('invalid', 'scopes first_key_not_admin')
    },
  )

  it('is one of a thousand at most', () => {
    const many = Array.from({ length: maxLiveKeys - 1 }, (_, n) => created(`m${n}`, { name: `m${n}` }))
    given(root, ...many)
      .when(create({ name: 'more', scopes: ['admin'] }))
      .thenRefused('invalid', 'name too_many')
  })

  it('is revoked once, and for good', () => {
    const revoked: KeyEvent = { type: 'ApiKeyRevoked', data: { keyId: 'k0' } }
    given(root).when({ type: 'revoke', keyId: 'k0' }).thenEvents(revoked)
    given(root, revoked).when({ type: 'revoke', keyId: 'k0' }).thenNothing()
    given(root).when({ type: 'revoke', keyId: 'k9' }).thenRefused('not_found')
    const key = given(root, revoked).state?.keys.get('k0')
    expect(key).toMatchObject({ revokedAt: noon + minute, revokedBy: 'alice' })
    expect(key && isLive(key, noon)).toBe(false)
  })

  it('is noted as used once a day', () => {
    const used: KeyEvent = { type: 'ApiKeyUsed', data: { keyId: 'k0' } }
    const use = (at: number): KeyCommand => ({ type: 'use', keyId: 'k0', at })
    given(root).when(use(noon)).thenEvents(used)
    given(root, used)
      .when(use(noon + 23 * hour))
      .thenNothing()
    given(root, used)
      .when(use(noon + 25 * hour))
      .thenEvents(used)
  })

  it('opens nothing from its end on', () => {
    const key = given(created('k0', { expiresAt: later })).state?.keys.get('k0')
    expect([later - 1, later].map((at) => key && isLive(key, at))).toEqual([true, false])
  })
})

it('admin grants every scope, every other itself alone', () => {
  for (const wanted of scopes) {
    expect(grants(['admin'], wanted)).toBe(true)
    for (const granted of scopes) {
      if (granted !== 'admin') expect(grants([granted], wanted)).toBe(granted === wanted)
    }
  }
})

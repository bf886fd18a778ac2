import { newKey } from '@almanac/adapters/tokens'
import { type Scope, scopes } from '@almanac/domain'
import { SeededRandom } from '@almanac/engine'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { daily, fakeApi, type TestApi, tasks } from '../../test-support/fake-api.js'
import { now } from '../../test-support/fake-application.js'
import type { TokenVerifier } from './access.js'

const random = new SeededRandom(7)
const bootstrap = newKey(random)

/** Tokens of the tests say in words what they are good for. */
const tokens: TokenVerifier = {
  verify: async (token) =>
    token === 'bad'
      ? undefined
      : { subject: token, scopes: ['tasks:read'], namespaces: ['default'], expiresAt: now + 60_000 },
}

let test: TestApi
beforeAll(async () => {
  test = await fakeApi({ access: { isLocal: true, bootstrap, tokens } })
})
afterAll(() => test.api.close())
beforeEach(() => test.fake.reset())

const bearer = (text: string) => ({ authorization: `Bearer ${text}` })

interface Wanted {
  readonly name?: string
  readonly namespace?: string | null
  readonly scopes: readonly string[]
  readonly expiresAt?: string
}

async function make(wanted: Wanted, by: string = bootstrap.text, { api }: TestApi = test) {
  const payload = { name: 'key', ...wanted }
  const answer = await api.inject({ method: 'POST', url: '/v1/keys', payload, headers: bearer(by) })
  return { ...answer.json(), status: answer.statusCode } as {
    readonly status: number
    readonly id: string
    readonly key: string
    readonly code: string
    readonly errors: readonly { readonly path: string; readonly code: string }[]
  }
}

const root = () => make({ name: 'root', scopes: ['admin'] })
const get = (url: string, headers: Record<string, string> = {}, { api }: TestApi = test) =>
  api.inject({ url, headers })

describe('a server that has credentials', () => {
  it('lets nobody in without one, and says how to show one', async () => {
    const answer = await get(tasks)
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('Bearer')
    expect(answer.json()).toMatchObject({ code: 'unauthenticated' })
  })

  it.each(['Basic eDp5', 'Bearer', 'Bearer a b', 'bearer alm_x', `Bearer ${bootstrap.text}x`, 'Bearer bad'])(
    'refuses %s',
    async (authorization) => {
      const answer = await get(tasks, { authorization })
      expect([answer.statusCode, answer.json().code]).toEqual([401, 'unauthenticated'])
    },
  )

  it('answers the same for a key that is unknown, has another secret, is revoked, or has expired', async () => {
    await root()
    const dead = await make({ name: 'dead', scopes: ['admin'] })
    await test.api.inject({ method: 'DELETE', url: `/v1/keys/${dead.id}`, headers: bearer(bootstrap.text) })
    const soon = await make({ name: 'soon', scopes: ['admin'], expiresAt: '2026-01-01T00:00:01Z' })
    const [other] = soon.key.split('.')
    const wrong = newKey(random).text.split('.')[1]
    const bodies = []
    for (const shown of [newKey(random).text, `${other}.${wrong}`, dead.key]) {
      bodies.push((await get(tasks, bearer(shown))).json())
    }
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1)
    expect(bodies[0]).toMatchObject({ status: 401 })
    expect((await get(tasks, bearer(soon.key))).statusCode).toBe(200)
  })

  it('serves its health and its documents to everybody', async () => {
    for (const url of ['/livez', '/readyz', '/startupz', '/openapi.json', '/docs/', '/']) {
      expect((await get(url)).statusCode, url).toBe(200)
    }
  })

  it('writes into histories who has shown what, and for whom he says that he acts', async () => {
    await root()
    const { key } = await make({ name: 'ci', scopes: ['tasks:write'] })
    const create = (headers: Record<string, string>, name: string) =>
      test.api.inject({ method: 'POST', url: tasks, payload: { ...daily, name }, headers })
    await create(bearer(key), 'one')
    await create({ ...bearer(key), 'almanac-actor': 'mia' }, 'two')
    const actors = test.fake.asked
      .filter(({ command }) => command === 'create')
      .map(({ context }) => context.actor)
    expect(actors.slice(-2)).toEqual(['ci', 'ci for mia'])
  })
})

describe('keys', () => {
  it('are shown once, with what they are good for', async () => {
    await root()
    const made = await make({ name: 'ci', namespace: 'shop', scopes: ['tasks:write'] })
    expect(made.key).toMatch(/^alm_[0-9a-z]{12}\.[\w-]{43}$/)
    const list = await get('/v1/keys', bearer(bootstrap.text))
    expect(list.body).not.toContain(made.key.split('.')[1])
    expect(list.json().items[0]).toMatchObject({
      id: made.id,
      name: 'ci',
      namespace: 'shop',
      scopes: ['tasks:write'],
      createdBy: 'bootstrap',
      live: true,
      lastUsedAt: null,
    })
  })

  it('tell when they were used last', async () => {
    await root()
    const { key, id } = await make({ name: 'ci', scopes: ['tasks:read'] })
    await get(tasks, bearer(key))
    const shown = (await get(`/v1/keys/${id}`, bearer(bootstrap.text))).json()
    expect(shown.lastUsedAt).toBe(new Date(now).toISOString())
    const notes = test.fake.asked.filter(({ command }) => command === 'use')
    await get(tasks, bearer(key))
    expect(test.fake.asked.filter(({ command }) => command === 'use')).toHaveLength(notes.length)
  })

  it('of one namespace make and see keys of that namespace alone', async () => {
    await root()
    const { key } = await make({ name: 'shop', namespace: 'shop', scopes: ['admin'] })
    expect(await make({ name: 'a', scopes: ['tasks:read'] }, key)).toMatchObject({ code: 'scope_missing' })
    const beyond = await make({ name: 'a', namespace: 'bank', scopes: ['tasks:read'] }, key)
    expect(beyond).toMatchObject({ status: 403, errors: [{ path: 'namespace', code: 'beyond_yours' }] })
    expect(await make({ name: 'own', namespace: 'shop', scopes: ['tasks:read'] }, key)).toMatchObject({
      status: 201,
    })
    const { items } = (await get('/v1/keys', bearer(key))).json()
    expect(items.map(({ name }: { name: string }) => name)).toEqual(['own', 'shop'])
    const all = (await get('/v1/keys', bearer(bootstrap.text))).json().items
    const { id } = all.find(({ name }: { name: string }) => name === 'root')
    const revoke = { method: 'DELETE', url: `/v1/keys/${id}`, headers: bearer(key) } as const
    expect((await test.api.inject(revoke)).statusCode).toBe(404)
  })

  it('are listed page by page, also those that open nothing any more', async () => {
    await root()
    const first = await make({ name: 'k1', scopes: ['tasks:read'] })
    await make({ name: 'k2', scopes: ['tasks:read'] })
    await test.api.inject({ method: 'DELETE', url: `/v1/keys/${first.id}`, headers: bearer(bootstrap.text) })
    const page = async (query: string) => (await get(`/v1/keys?${query}`, bearer(bootstrap.text))).json()
    const one = await page('limit=2')
    const two = await page(`limit=2&cursor=${one.nextCursor}`)
    const names = [...one.items, ...two.items].map(({ name }) => name)
    expect([names, one.total, two.nextCursor]).toEqual([['k2', 'k1', 'root'], 3, null])
    expect((await page('live=false')).items).toMatchObject([
      { name: 'k1', live: false, revokedBy: 'bootstrap' },
    ])
  })
})

describe('a server of one machine', () => {
  it('is open until the first key is made, and never again', async () => {
    const local = await fakeApi()
    expect((await get(tasks, {}, local)).statusCode).toBe(200)
    const payload = { name: 'root', scopes: ['admin'] }
    const made = await local.api.inject({ method: 'POST', url: '/v1/keys', payload })
    expect(made.statusCode).toBe(201)
    expect((await get(tasks, {}, local)).statusCode).toBe(401)
    const headers = bearer(made.json().key)
    await local.api.inject({ method: 'DELETE', url: `/v1/keys/${made.json().id}`, headers })
    expect((await get(tasks, {}, local)).statusCode).toBe(401)
    await local.api.close()
  })

  it('lets nobody in while it does not know its keys yet', async () => {
    const local = await fakeApi()
    local.fake.isKeyRingUnknown = true
    expect((await get(tasks, {}, local)).json().code).toBe('not_ready')
    expect((await get(tasks, bearer(newKey(random).text), local)).json().code).toBe('not_ready')
    await local.api.close()
  })

  it('is not open when others can reach it', async () => {
    const open = await fakeApi({ access: { isLocal: false } })
    expect((await get(tasks, { host: 'almanac.example.org' }, open)).statusCode).toBe(401)
    await open.api.close()
  })
})

it('refuses to register a route that does not say which scope it needs', async () => {
  const { api } = await fakeApi()
  expect(() => api.get('/v1/forgotten', async () => 'x')).toThrow('which scope')
})

describe('every route with every scope', () => {
  it('wants its own scope or admin, before it looks at anything else', async () => {
    await root()
    const keys = new Map<Scope, string>()
    for (const scope of scopes) keys.set(scope, (await make({ name: scope, scopes: [scope] })).key)
    const shut = (await make({ name: 'elsewhere', namespace: 'elsewhere', scopes: ['admin'] })).key
    const routes = (await get('/openapi.json')).json().paths as Record<string, Record<string, unknown>>
    let checked = 0
    for (const [path, methods] of Object.entries(routes)) {
      for (const method of Object.keys(methods)) {
        const url = path.replace('{namespace}', 'default').replaceAll(/\{\w+\}/g, 'none')
        const ask = async (headers: Record<string, string>) =>
          test.api.inject({ method: method.toUpperCase() as 'GET', url, headers: { ...headers, ...short } })
        const wanted = await scopeOf(ask, keys)
        const isPublic = ['/livez', '/readyz', '/startupz', '/openapi.json'].includes(path)
        expect(wanted.length, `${method} ${path}`).toBe(
          isPublic ? scopes.length : /^\/v1\/keys|\/webhooks/.test(path) ? 1 : 2,
        )
        expect((await ask({})).statusCode, `${method} ${path}`).toBe(isPublic ? 200 : 401)
        if (path.includes('{namespace}')) {
          expect((await ask(bearer(shut))).json(), `${method} ${path}`).toMatchObject({ code: 'not_found' })
        }
        checked += scopes.length + 2
      }
    }
    expect(checked).toBeGreaterThan(300)
  })
})

/** A feed ends by itself when its reader is gone; here nobody reads, so it is asked for a position that is none. */
const short = { 'last-event-id': 'none' }

async function scopeOf(
  ask: (
    headers: Record<string, string>,
  ) => Promise<{ readonly statusCode: number; json(): { code?: string } }>,
  keys: ReadonlyMap<Scope, string>,
): Promise<readonly Scope[]> {
  const granted: Scope[] = []
  for (const [scope, key] of keys) {
    const answer = await ask(bearer(key))
    if (answer.statusCode === 401) throw new Error(`the key of ${scope} is not taken`)
    if (answer.statusCode !== 403) granted.push(scope)
  }
  return granted
}

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { daily, fakeApi, type TestApi, tasks } from '../test-support/fake-api.js'

let api: TestApi['api']
let fake: TestApi['fake']
beforeAll(async () => {
  ;({ api, fake } = await fakeApi())
})
afterAll(() => api.close())
beforeEach(() => {
  fake.reset()
  fake.fenceWaits.length = 0
  fake.isFenced = true
})

const create = (query = '', headers: Record<string, string> = {}) =>
  api.inject({ method: 'POST', url: `${tasks}${query}`, payload: daily, headers })

it('waits for nothing unless it is asked to', async () => {
  const answer = await create()
  expect(answer.headers['almanac-fence']).toBeUndefined()
  expect(fake.fenceWaits).toEqual([])
})

it('tells that the change is fenced, or that it is still pending', async () => {
  const created = await create('?wait=fenced')
  expect([created.statusCode, created.headers['almanac-fence']]).toEqual([201, 'fenced'])
  const { id } = created.json()
  fake.isFenced = false
  const deleted = await api.inject({ method: 'DELETE', url: `${tasks}/${id}?wait=fenced&waitMs=50` })
  expect([deleted.statusCode, deleted.headers['almanac-fence']]).toEqual([204, 'pending'])
  const task = { kind: 'task', taskId: id }
  expect(fake.fenceWaits).toEqual([
    { affected: [task], position: 1, timeoutMs: 5_000 },
    { affected: [task], position: 2, timeoutMs: 50 },
  ])
})

it('waits once for all that a bulk request has changed', async () => {
  const operations = ['a', 'b'].map((name) => ({ op: 'create', task: { ...daily, name } }))
  const payload = { operations: [...operations, { op: 'delete', id: 'nobody' }] }
  const answer = await api.inject({ method: 'POST', url: `${tasks}/bulk?wait=fenced`, payload })
  expect(answer.headers['almanac-fence']).toBe('fenced')
  const ids = answer
    .json()
    .results.flatMap(({ id, position }: { id: string; position: number | null }) =>
      position === null ? [] : [{ kind: 'task', taskId: id }],
    )
  expect(ids).toHaveLength(2)
  expect(fake.fenceWaits).toEqual([{ affected: ids, position: 2, timeoutMs: 5_000 }])
})

it('waits for nothing when the command is refused', async () => {
  await create()
  const again = await create('?wait=fenced')
  expect([again.statusCode, again.headers['almanac-fence']]).toEqual([409, undefined])
  expect(fake.fenceWaits).toEqual([])
})

it.each([
  ['wait=forever', 'wait'],
  ['wait=fenced&waitMs=99999', 'waitMs'],
  ['wiat=fenced', 'wiat'],
])('refuses ?%s and changes nothing', async (query, path) => {
  const answer = await create(`?${query}`)
  expect(answer.statusCode).toBe(400)
  expect(answer.json()).toMatchObject({ code: 'invalid_query', errors: [{ path }] })
  expect(fake.asked).toEqual([])
})

it('is the same request with another wait, for its idempotency key', async () => {
  const keyed = { 'idempotency-key': 'k-1' }
  await create('', keyed)
  await create('?wait=fenced&waitMs=10', keyed)
  const [first, second] = fake.asked.map(({ context }) => context.fingerprint)
  expect(first).toMatch(/^[0-9a-f]{64}$/)
  expect(second).toBe(first)
})

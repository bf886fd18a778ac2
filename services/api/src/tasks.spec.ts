import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { daily, fakeApi, type TestApi, tasks } from '../test-support/fake-api.js'

let api: TestApi['api']
let fake: TestApi['fake']
beforeAll(async () => {
  ;({ api, fake } = await fakeApi())
})
afterAll(() => api.close())
beforeEach(() => fake.reset())

const create = (payload: object = daily, headers: Record<string, string> = {}) =>
  api.inject({ method: 'POST', url: tasks, payload, headers })

describe('creating a task', () => {
  it('answers 201 with the task, its location, revision and position', async () => {
    const answer = await create({
      ...daily,
      args: [1, null, { a: 'ü' }],
      expires: '2026-12-01T01:00:00+01:00',
    })
    expect(answer.statusCode).toBe(201)
    const task = answer.json()
    expect(answer.headers).toMatchObject({
      location: `${tasks}/${task.id}`,
      etag: '"0"',
      'almanac-position': '1',
    })
    expect(task).toMatchObject({
      name: 'daily',
      schedule: daily.schedule,
      args: [1, null, { a: 'ü' }],
      kwargs: {},
      expires: '2026-12-01T00:00:00.000Z',
      enabled: true,
      revision: 0,
      scheduleText: 'At 02:00 AM UTC',
      nextRunAt: null,
      lastRunAt: null,
      totalRunCount: 0,
      createdAt: '2026-01-01T00:00:00.000Z',
      dateChanged: '2026-01-01T00:00:00.000Z',
    })
  })

  it('passes on who asks and why', async () => {
    await create({ ...daily, reason: 'ticket 7' }, { 'almanac-actor': 'mia', 'idempotency-key': 'k-1' })
    expect(fake.asked[0]?.context).toMatchObject({
      namespace: 'default',
      actor: 'mia',
      reason: 'ticket 7',
      idempotencyKey: 'k-1',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  it('takes a reason from the header, in UTF-8', async () => {
    const reason = Buffer.from('Störung').toString('latin1')
    await create(daily, { 'almanac-reason': reason })
    expect(fake.asked[0]?.context.reason).toBe('Störung')
  })

  it('gives equal requests equal fingerprints, whatever the order of their keys', async () => {
    const { name, ...rest } = daily
    await create({ name, ...rest }, { 'idempotency-key': 'k' })
    await create({ ...rest, name }, { 'idempotency-key': 'k' })
    await create({ ...rest, name, priority: 1 }, { 'idempotency-key': 'k' })
    const prints = fake.asked.map(({ context }) => context.fingerprint)
    expect(prints[0]).toBe(prints[1])
    expect(prints[0]).not.toBe(prints[2])
  })

  it('answers a taken name with 409', async () => {
    await create()
    const answer = await create()
    expect(answer.statusCode).toBe(409)
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(answer.json()).toMatchObject({
      code: 'name_taken',
      status: 409,
      type: 'urn:almanac:problem:name_taken',
    })
  })

  it('answers a broken rule with 422 and the field', async () => {
    const answer = await create({ ...daily, schedule: { crontab: { hour: '24' } } })
    expect(answer.statusCode).toBe(422)
    expect(answer.json()).toMatchObject({ code: 'invalid', errors: [{ path: 'schedule.crontab.hour' }] })
  })
})

describe('putting a task by name', () => {
  const put = (headers: Record<string, string> = {}, payload: object = { ...daily, name: undefined }) =>
    api.inject({ method: 'PUT', url: `${tasks}/by-name/daily`, payload, headers })

  it('creates, then replaces', async () => {
    expect((await put()).statusCode).toBe(201)
    const again = await put({}, { task: 'c.d', schedule: daily.schedule })
    expect(again.statusCode).toBe(200)
    expect(again.json()).toMatchObject({ task: 'c.d', revision: 1 })
  })

  it('with If-None-Match: * leaves an existing one untouched', async () => {
    expect((await put({ 'if-none-match': '*' })).statusCode).toBe(201)
    const again = await put({ 'if-none-match': '*' }, { task: 'c.d', schedule: daily.schedule })
    expect(again.statusCode).toBe(200)
    expect(again.json()).toMatchObject({ task: 'a.b', revision: 0 })
  })

  it('refuses a body that names another task', async () => {
    const answer = await put({}, { ...daily, name: 'other' })
    expect(answer.statusCode).toBe(422)
    expect(answer.json().errors).toMatchObject([{ path: 'name' }])
  })

  it('takes names with slashes and letters of any script', async () => {
    const name = 'reports/täglich 日本'
    const url = `${tasks}/by-name/${encodeURIComponent(name)}`
    const answer = await api.inject({ method: 'PUT', url, payload: { ...daily, name } })
    expect(answer.statusCode).toBe(201)
    expect((await api.inject({ url })).json().name).toBe(name)
  })
})

describe('changing a task', () => {
  const patch = (id: string, payload: object, headers: Record<string, string> = {}) =>
    api.inject({ method: 'PATCH', url: `${tasks}/${id}`, payload, headers })
  let id: string
  beforeEach(async () => {
    id = (
      await create({ ...daily, queue: 'q', labels: { a: '1', b: '2' }, kwargs: { x: { y: 1, z: 2 } } })
    ).json().id
  })

  it('merges objects, resets with null and leaves the rest', async () => {
    const headers = { 'content-type': 'application/merge-patch+json' }
    const payload = {
      queue: null,
      labels: { a: null, c: '3' },
      kwargs: { x: { y: null } },
      catchUp: { max: 5 },
    }
    const answer = await patch(id, payload, headers)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers.etag).toBe('"1"')
    expect(answer.json()).toMatchObject({
      queue: null,
      kwargs: { x: { z: 2 } },
      catchUp: { policy: 'latest', windowSeconds: null, max: 5 },
    })
    expect(answer.json().labels).toEqual({ b: '2', c: '3' })
  })

  it('replaces the schedule as a whole', async () => {
    const schedule = { interval: { every: 5, period: 'minutes' } }
    expect((await patch(id, { schedule })).json().schedule).toEqual(schedule)
  })

  it('answers a stale If-Match with 412, a present one with 200', async () => {
    expect((await patch(id, { priority: 1 }, { 'if-match': '"7"' })).json().code).toBe('revision_mismatch')
    expect((await patch(id, { priority: 1 }, { 'if-match': '"0"' })).statusCode).toBe(200)
    expect((await patch(id, { priority: 2 }, { 'if-match': '*' })).statusCode).toBe(200)
  })

  it.each(['7', 'W/"1"', '"1", "2"', '""', '"x"'])('answers If-Match: %s with 400', async (tag) => {
    expect((await patch(id, {}, { 'if-match': tag })).json()).toMatchObject({ code: 'invalid_header' })
  })

  it('refuses to null what has no default', async () => {
    const answer = await patch(id, { enabled: null, oneOff: null, name: null })
    expect(answer.statusCode).toBe(400)
    const paths = answer.json().errors.map(({ path }: { path: string }) => path)
    expect(paths.sort()).toEqual(['enabled', 'name', 'oneOff'])
  })

  it('answers 404 for another namespace’s task as for none', async () => {
    const foreign = await api.inject({ url: `/v1/namespaces/other/tasks/${id}` })
    const none = await api.inject({ url: `/v1/namespaces/other/tasks/${'0'.repeat(26)}` })
    expect(foreign.statusCode).toBe(404)
    expect(foreign.body).toBe(none.body)
  })
})

describe('actions', () => {
  it.each(['enable', 'disable', 'reset-history'])('%s works with and without a body', async (action) => {
    const { id } = (await create()).json()
    const url = `${tasks}/${id}/${action}`
    expect((await api.inject({ method: 'POST', url })).statusCode).toBe(200)
    const json = { 'content-type': 'application/json' }
    expect((await api.inject({ method: 'POST', url, headers: json })).statusCode).toBe(200)
    expect((await api.inject({ method: 'POST', url, payload: { reason: 'why' } })).statusCode).toBe(200)
    expect(fake.asked.at(-1)?.context.reason).toBe('why')
  })

  it('trigger answers 202 with the run', async () => {
    const { id } = (await create()).json()
    const answer = await api.inject({ method: 'POST', url: `${tasks}/${id}/trigger`, payload: { args: [1] } })
    expect(answer.statusCode).toBe(202)
    expect(answer.headers.location).toBe('/v1/namespaces/default/runs/run-1')
    expect(answer.json()).toEqual({ runId: 'run-1', taskId: id, position: 2 })
  })

  it('delete answers 204, and 404 the second time', async () => {
    const { id } = (await create()).json()
    const gone = await api.inject({ method: 'DELETE', url: `${tasks}/${id}`, payload: { reason: 'old' } })
    expect([gone.statusCode, gone.body, gone.headers['almanac-position']]).toEqual([204, '', '2'])
    expect((await api.inject({ method: 'DELETE', url: `${tasks}/${id}` })).statusCode).toBe(404)
  })
})

describe('many operations at once', () => {
  const bulk = (operations: readonly object[], headers = {}) =>
    api.inject({ method: 'POST', url: `${tasks}/bulk`, payload: { operations }, headers })

  it('answers each in order, the bad ones with their problem', async () => {
    const answer = await bulk([
      { op: 'create', task: daily },
      { op: 'create', task: daily },
      { op: 'create', task: { ...daily, name: 'b', priority: 300 } },
      { op: 'put', task: { ...daily, name: 'c' }, onlyCreate: true },
      { op: 'enable' },
      { op: 'delete', id: 'nobody' },
    ])
    expect(answer.statusCode).toBe(200)
    const { results, succeeded, failed } = answer.json()
    expect(results.map(({ status }: { status: number }) => status)).toEqual([201, 409, 400, 201, 400, 404])
    expect(results[2].problem.errors).toMatchObject([{ path: 'task.priority' }])
    expect([succeeded, failed]).toEqual([2, 4])
  })

  it('refuses 501 operations and does none of them', async () => {
    const operations = Array.from({ length: 501 }, (_, i) => ({
      op: 'create',
      task: { ...daily, name: `t${i}` },
    }))
    const answer = await bulk(operations)
    expect([answer.statusCode, answer.json().code]).toEqual([413, 'too_many_operations'])
    expect(fake.tasks.size).toBe(0)
    expect((await bulk(operations.slice(1))).json().succeeded).toBe(500)
  })

  it('gives each operation a key of its own out of the request’s', async () => {
    const operations = [
      { op: 'create', task: daily },
      { op: 'create', task: { ...daily, name: 'b' } },
    ]
    await bulk(operations, { 'idempotency-key': 'k' })
    await bulk(operations, { 'idempotency-key': 'k' })
    const keys = fake.asked.map(({ context }) => context.idempotencyKey)
    expect(keys).toEqual([keys[0], keys[1], keys[0], keys[1]])
    expect(new Set(keys).size).toBe(2)
  })
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import { TestServer } from '../test-support/server.js'

// Answers that a stranger's test found wrong or misleading, asked over real HTTP.

const server = new TestServer()
beforeAll(() => server.start())
afterAll(() => server.remove())

const secondly = { interval: { every: 1, period: 'seconds' } }
const task = (name: string, more: object = {}) => ({
  name,
  task: 'demo',
  schedule: secondly,
  queue: name,
  ...more,
})

it('the answer to reset-history shows the reset, as a read does', async () => {
  const { id } = (await server.post('/tasks', task('reset', { enabled: false }))).body
  await server.post(`/tasks/${id}/trigger`)
  await server.post('/queues/reset/lease', { waitMs: 20_000 })
  const reset = await server.post(`/tasks/${id}/reset-history`, {})
  expect(reset.body).toMatchObject({ totalRunCount: 0, lastRunAt: null })
})

it('occurrences that are past come with their outcome, those to come as due, also up to an end', async () => {
  const { id, createdAt } = (await server.post('/tasks', task('seen', { maxAttempts: 3 }))).body
  const leased = await server.post('/queues/seen/lease', { waitMs: 20_000, worker: 'w' })
  const [{ runId, leaseToken }] = leased.body.runs
  const listed = await server.get(`/tasks/${id}/occurrences?from=${createdAt}&count=100`)
  expect(listed.body.items[0]).toMatchObject({ outcome: 'emitted', runId })
  expect(listed.body.items.at(-1)).toMatchObject({ outcome: 'due', runId: null })
  const day = (Number(createdAt.slice(0, 4)) + 1).toString()
  const coming = await server.get(
    `/tasks/${id}/occurrences?from=${day}-01-01T00:00:00Z&to=${day}-01-01T00:00:10Z`,
  )
  expect(coming.body.items.length).toBeGreaterThanOrEqual(10)
  const reversed = await server.get(
    `/tasks/${id}/occurrences?from=${day}-01-02T00:00:00Z&to=${day}-01-01T00:00:00Z`,
  )
  expect([reversed.status, reversed.body.errors[0].path]).toEqual([422, 'from'])
  const failed = await server.post(`/runs/${runId}/fail`, { leaseToken, error: 'boom' })
  expect(failed.body.status).toBe('queued')
  const [again] = (await server.post('/queues/seen/lease', { waitMs: 20_000, max: 1 })).body.runs
  expect(again).toMatchObject({ runId, attempt: 2 })
  const final = await server.post(`/runs/${runId}/fail`, {
    leaseToken: again.leaseToken,
    retryInSeconds: null,
  })
  expect(final.body.status).toBe('failed')
})

it('occurrences come page by page, each once, also those at one instant', async () => {
  const { id, createdAt } = (await server.post('/tasks', task('paged'))).body
  for (const _ of [1, 2, 3]) await server.post(`/tasks/${id}/trigger`)
  const runs = async () => (await server.get(`/runs?task=${id}`)).body.total
  await expect.poll(runs, { timeout: 20_000 }).toBeGreaterThan(3)
  const { dateChanged } = (await server.post(`/tasks/${id}/disable`)).body
  const url = `/tasks/${id}/occurrences?from=${createdAt}&to=${dateChanged}`
  const byPage = async (count: number) => {
    const items: object[] = []
    let cursor = ''
    for (;;) {
      const { body } = await server.get(`${url}&count=${count}${cursor}`)
      items.push(...body.items)
      if (body.nextCursor === null) return items
      cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`
    }
  }
  const all = (await server.get(`${url}&count=1000`)).body
  expect(all.nextCursor).toBeNull()
  expect(all.items.length).toBeGreaterThan(3)
  for (const count of [1, 2, 7]) expect(await byPage(count)).toEqual(all.items)
  expect((await server.ask('DELETE', `/tasks/${id}`)).status).toBe(204)
  expect((await server.get(`${url}&count=1000`)).body.items).toEqual(all.items)
  const foreign = await server.get(`${url}&count=1&cursor=x.y`)
  expect([foreign.status, foreign.body.code]).toEqual([400, 'invalid_cursor'])
})

it('the examples of the API’s documentation are accepted, all of them', async () => {
  const document = JSON.parse(await (await fetch(`${server.url}/openapi.json`)).text())
  const { id } = (await server.post('/v1/namespaces/examples/tasks', task('given'))).body
  const answered: string[] = []
  for (const [path, methods] of Object.entries<object>(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const example = operation.requestBody?.content['application/json'].example
      // A server that has a key lets nobody else in: what makes one is asked elsewhere.
      if (example === undefined || path === '/v1/keys') continue
      const url = path
        .replace('{namespace}', 'examples')
        .replace('{id}', id)
        .replace('{name}', encodeURIComponent(example.name))
        .replace('{queue}', 'default')
      const answer = await server.ask(method.toUpperCase(), url, example)
      expect([path, answer.status, answer.body.failed ?? 0]).toEqual([path, expect.toSatisfy(isFine), 0])
      answered.push(`${method} ${path}`)
    }
  }
  expect(answered.length).toBeGreaterThanOrEqual(10)
})

const isFine = (status: number) => status >= 200 && status < 300

it('a bulk operation refuses the fields that it would not read', async () => {
  const operations = [{ op: 'create', id: 'zzz', revision: 5, onlyCreate: true, task: task('bulk') }]
  const { results } = (await server.post('/tasks/bulk', { operations })).body
  expect(results[0].status).toBe(400)
  const paths = results[0].problem.errors.map(({ path }: { path: string }) => path)
  expect(paths).toEqual(['id', 'revision', 'onlyCreate'])
})

it('a backfill of nothing is refused, and changes nothing', async () => {
  const { id, revision } = (await server.post('/tasks', task('past', { enabled: false }))).body
  const range = { from: '2016-01-01T00:00:00Z', until: '2016-01-02T00:00:00Z', max: 10 }
  const refused = await server.post(`/tasks/${id}/backfill`, range)
  expect([refused.status, refused.body.code]).toEqual([409, 'nothing_to_do'])
  expect((await server.get(`/tasks/${id}`)).body.revision).toBe(revision)
})

it('a backfill is previewed with what has become of each occurrence, and runs in the order asked for', async () => {
  const daily = { crontab: { expression: '0 2 * * *', timezone: 'UTC' } }
  const { id } = (await server.post('/tasks', task('again', { schedule: daily, enabled: false }))).body
  const range = { from: '2016-01-01T00:00:00Z', until: '2016-01-10T00:00:00Z' }
  const preview = await server.get(
    `/tasks/${id}/backfill?from=${range.from}&until=${range.until}&max=2&order=newestFirst`,
  )
  expect(preview.body).toEqual({
    total: 9,
    runs: 2,
    items: ['2016-01-09', '2016-01-08'].map((day) => ({
      at: `${day}T02:00:00.000Z`,
      outcome: null,
      reason: null,
      status: null,
    })),
  })
  await server.post(`/tasks/${id}/backfill`, { ...range, max: 2, order: 'newestFirst' })
  const leased = await server.post('/queues/again/lease', { waitMs: 20_000, max: 10 })
  const runs = leased.body.runs.map((run: { scheduledAt: string }) => run.scheduledAt)
  expect(runs.toSorted()).toEqual(['2016-01-08T02:00:00.000Z', '2016-01-09T02:00:00.000Z'])
  const reversed = await server.get(`/tasks/${id}/backfill?from=${range.until}&until=${range.from}`)
  expect([reversed.status, reversed.body.errors[0].code]).toEqual([422, 'range_reversed'])
})

it('a task is paused until an instant, and says so', async () => {
  const { id } = (await server.post('/tasks', task('rest'))).body
  const until = '2200-01-01T00:00:00.000Z'
  const tooFar = await server.post(`/tasks/${id}/disable`, { until })
  expect([tooFar.status, tooFar.body.errors[0].code]).toEqual([422, 'too_far'])
  const soon = new Date(Date.now() + 3_600_000).toISOString()
  const paused = await server.post(`/tasks/${id}/disable`, { until: soon, reason: 'maintenance' })
  const said = { enabled: true, pausedUntil: soon, disabledReason: 'maintenance' }
  expect(paused.body).toMatchObject(said)
  expect(Date.parse(paused.body.nextRunAt)).toBeGreaterThanOrEqual(Date.parse(soon))
  const { items } = (await server.get(`/tasks/${id}/history`)).body
  expect(items.at(-1)).toMatchObject({ type: 'TaskPaused', changes: [{ path: 'pausedUntil', after: soon }] })
  expect((await server.post(`/tasks/${id}/enable`)).body).toMatchObject({ pausedUntil: null, enabled: true })
})

it('tasks are listed in the order asked for, page by page, also as they were', async () => {
  const namespace = '/v1/namespaces/sorted'
  const ids = new Map<string, string>()
  for (const name of ['b', 'c', 'a'])
    ids.set(name, (await server.post(`${namespace}/tasks`, task(name))).body.id)
  const { headers } = await server.post(`${namespace}/tasks/${ids.get('b')}/disable`)
  const names = async (query: string) => {
    const found: string[] = []
    let cursor = ''
    do {
      const { body } = await server.get(`${namespace}/tasks?limit=1&${query}${cursor}`)
      found.push(...body.items.map(({ name }: { name: string }) => name))
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`
    } while (cursor !== '')
    return found.join('')
  }
  expect(await names('')).toBe('abc')
  expect(await names('sort=-name')).toBe('cba')
  expect(await names('sort=createdAt')).toBe('bca')
  expect(await names('sort=-dateChanged')).toBe('bac')
  const before = Number(headers.get('almanac-position')) - 1
  expect(await names(`sort=-dateChanged&asOf=${before}`)).toBe('acb')
  const wrong = await server.get(`${namespace}/tasks?sort=size`)
  expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid_query'])
})

it('one coming occurrence is cancelled, and let run after all', async () => {
  const daily = { crontab: { expression: '0 2 * * *', timezone: 'UTC' } }
  const { id } = (await server.post('/tasks', task('but-one', { schedule: daily }))).body
  const [first, second] = (await server.get(`/tasks/${id}/occurrences?count=2`)).body.items
  const url = `/tasks/${id}/occurrences/${encodeURIComponent(first.at)}`
  const cancelled = await server.post(`${url}/cancel`, { reason: 'a holiday' })
  expect([cancelled.status, cancelled.body.nextRunAt]).toEqual([200, second.at])
  const [listed] = (await server.get(`/tasks/${id}/occurrences?count=2`)).body.items
  expect(listed).toMatchObject({ at: first.at, outcome: 'skipped', reason: 'cancelled' })
  const told = (await server.get(`/tasks/${id}/history`)).body.items.at(-1)
  expect(told).toMatchObject({ text: `anonymous cancelled its occurrence of ${first.at} (a holiday)` })
  expect((await server.post(`${url}/restore`)).body.nextRunAt).toBe(first.at)
  const wrong = await server.post(`/tasks/${id}/occurrences/yesterday/cancel`)
  expect([wrong.status, wrong.body.errors[0].path]).toEqual([422, 'at'])
})

it('one coming occurrence is moved to another time, and back', async () => {
  const daily = { crontab: { expression: '0 2 * * *', timezone: 'UTC' } }
  const { id } = (await server.post('/tasks', task('later', { schedule: daily }))).body
  const [first] = (await server.get(`/tasks/${id}/occurrences?count=1`)).body.items
  const url = `/tasks/${id}/occurrences/${encodeURIComponent(first.at)}`
  const to = new Date(Date.parse(first.at) + 3_600_000).toISOString()
  const moved = await server.post(`${url}/move`, { to, reason: 'maintenance' })
  expect([moved.status, moved.body.nextRunAt]).toEqual([200, to])
  const listed = (await server.get(`/tasks/${id}/occurrences?count=2`)).body.items
  expect(listed).toMatchObject([
    { at: first.at, outcome: 'skipped', reason: 'moved' },
    { at: to, outcome: 'due' },
  ])
  const told = (await server.get(`/tasks/${id}/history`)).body.items.at(-1)
  expect(told).toMatchObject({
    text: `anonymous moved its occurrence of ${first.at} to ${to} (maintenance)`,
    changes: [{ path: `occurrences.${first.at}`, before: first.at, after: to }],
  })
  const wrong = await server.post(`${url}/move`, { to })
  expect([wrong.status, wrong.body.errors[0]]).toMatchObject([422, { path: 'at', code: 'no_occurrence' }])
  expect((await server.post(`${url}/move`, {})).body.errors[0].path).toBe('to')
  expect((await server.post(`${url}/restore`)).body.nextRunAt).toBe(first.at)
})

it('an acknowledgement may be repeated', async () => {
  const { id } = (await server.post('/tasks', task('twice', { enabled: false }))).body
  await server.post(`/tasks/${id}/trigger`)
  const [{ runId, leaseToken }] = (await server.post('/queues/twice/lease', { waitMs: 20_000 })).body.runs
  for (const _ of [1, 2]) expect((await server.post(`/runs/${runId}/ack`, { leaseToken })).status).toBe(200)
})

it('a namespace or a calendar that is wrong is named with its rule and its place', async () => {
  const upper = await server.ask('GET', '/v1/namespaces/UPPER/tasks')
  expect(upper.body.errors[0].message).toContain('a-z')
  const schedule = { except: { base: secondly, exclude: [{ calendar: { ref: 'nowhere' } }] } }
  const path = 'schedule.except.exclude[0].calendar.ref'
  expect((await server.post('/schedules/preview', { schedule })).body.errors[0].path).toBe(path)
  expect((await server.post('/tasks', task('lost', { schedule }))).body.errors[0].path).toBe(path)
})

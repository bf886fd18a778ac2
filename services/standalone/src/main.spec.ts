import { StartProblem } from '@almanac/scheduler/service'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEvents, TestServer } from '../test-support/server.js'
import { startStandalone } from './main.js'

const server = new TestServer()
beforeAll(() => server.start())
afterAll(() => server.remove())

const daily = (name: string, more: object = {}) => ({
  name,
  task: 'demo',
  schedule: { crontab: { expression: '0 2 * * *' } },
  ...more,
})

describe('a task through the whole server', () => {
  it('is created, triggered, handed out, settled and remembered', async () => {
    const created = await server.post(
      '/tasks',
      daily('whole', { args: [1], queue: 'whole', reason: 'first' }),
    )
    expect(created.status).toBe(201)
    expect(created.body).toMatchObject({ scheduleText: 'At 02:00 AM UTC', totalRunCount: 0 })
    expect(created.body.nextRunAt).toMatch(/T02:00:00.000Z$/)
    const { id } = created.body

    const triggered = await server.post(`/tasks/${id}/trigger`, { kwargs: { now: true } })
    expect(triggered.status).toBe(202)
    const leased = await server.post('/queues/whole/lease', { max: 10, waitMs: 20_000, worker: 'w' })
    expect(leased.body.runs).toMatchObject([
      { runId: triggered.body.runId, kind: 'manual', args: [1], kwargs: { now: true }, attempt: 1 },
    ])
    const [run] = leased.body.runs
    const beat = await server.post(`/runs/${run.runId}/heartbeat`, { leaseToken: run.leaseToken })
    expect(beat.body).toMatchObject({ runId: run.runId, cancelRequested: false })
    const settled = await server.post(`/runs/${run.runId}/ack`, { leaseToken: run.leaseToken })
    expect([settled.status, settled.body]).toEqual([200, { runId: run.runId, status: 'succeeded' }])

    const runs = await server.get(`/runs?task=${id}`)
    expect(runs.body).toMatchObject({ total: 1, items: [{ status: 'succeeded', worker: 'w', attempt: 1 }] })
    expect((await server.get(`/tasks/${id}`)).body).toMatchObject({ totalRunCount: 1 })
    const history = await server.get(`/tasks/${id}/history`)
    expect(history.body.items.map(({ type }: { type: string }) => type)).toEqual([
      'TaskCreated',
      'TaskTriggered',
    ])
    expect(history.body.items[0]).toMatchObject({ reason: 'first', actor: 'anonymous' })
  })

  it('hands a run out again when its lease lapses, and only the new holder settles it', async () => {
    const { id } = (await server.post('/tasks', daily('lapse', { queue: 'lapse', maxAttempts: 3 }))).body
    await server.post(`/tasks/${id}/trigger`)
    const lease = { waitMs: 20_000, leaseSeconds: 1 }
    const [first] = (await server.post('/queues/lapse/lease', lease)).body.runs
    const [second] = (await server.post('/queues/lapse/lease', lease)).body.runs
    expect([second.runId, second.attempt]).toEqual([first.runId, 2])
    const late = await server.post(`/runs/${first.runId}/ack`, { leaseToken: first.leaseToken })
    expect([late.status, late.body.code]).toEqual([409, 'lease_lost'])
    const failed = await server.post(`/runs/${first.runId}/fail`, {
      leaseToken: second.leaseToken,
      error: 'no luck',
      retryInSeconds: 0,
    })
    expect(failed.body.status).toBe('queued')
    const [third] = (await server.post('/queues/lapse/lease', lease)).body.runs
    expect(third.attempt).toBe(3)
    const last = { leaseToken: third.leaseToken, retryInSeconds: 0 }
    expect((await server.post(`/runs/${first.runId}/fail`, last)).body.status).toBe('failed')
  })

  it('shows what became of past occurrences', async () => {
    const schedule = { interval: { every: 1, period: 'seconds' } }
    const made = await server.post('/tasks', daily('ticks', { schedule, queue: 'ticks', maxRuns: 2 }))
    const { id, createdAt } = made.body
    const taken: { runId: string; scheduledAt: string }[] = []
    while (taken.length < 2) {
      taken.push(...(await server.post('/queues/ticks/lease', { max: 2, waitMs: 20_000 })).body.runs)
    }
    const [first, last] = taken
    const { body } = await server.get(`/tasks/${id}/occurrences?from=${createdAt}&to=${last?.scheduledAt}`)
    expect(body.items).toMatchObject([
      { at: first?.scheduledAt, outcome: 'emitted', runId: first?.runId, status: 'running', count: 1 },
      { at: last?.scheduledAt, outcome: 'emitted', runId: last?.runId },
    ])
  })

  it('shows coming occurrences with the zone and what daylight saving does', async () => {
    const schedule = { crontab: { expression: '30 2 * * *', timezone: 'Europe/Berlin' } }
    const { id } = (await server.post('/tasks', daily('berlin', { schedule }))).body
    const from = '2027-03-27T12:00:00Z'
    const { body } = await server.get(`/tasks/${id}/occurrences?from=${from}&count=2`)
    expect(body).toMatchObject({
      timezone: 'Europe/Berlin',
      items: [
        { at: '2027-03-28T01:30:00.000Z', local: '2027-03-28T03:30:00', outcome: 'due' },
        { at: '2027-03-29T00:30:00.000Z', local: '2027-03-29T02:30:00', outcome: 'due' },
      ],
      notes: [expect.stringContaining('2027-03-28')],
    })
  })
})

describe('changes', () => {
  it('are applied to the revision that was seen', async () => {
    const { id } = (await server.post('/tasks', daily('revisions'))).body
    const patch = (body: object, headers = {}) => server.ask('PATCH', `/tasks/${id}`, body, headers)
    const first = await patch({ labels: { a: '1' } }, { 'if-match': '"0"' })
    expect([first.status, first.headers.get('etag')]).toEqual([200, '"1"'])
    expect((await patch({ labels: { a: '2' } }, { 'if-match': '"0"' })).status).toBe(412)
    const both = await Promise.all([patch({ labels: { b: '2' } }), patch({ labels: { c: '3' } })])
    expect(both.map(({ status }) => status)).toEqual([200, 200])
    expect((await server.get(`/tasks/${id}`)).body.labels).toEqual({ a: '1', b: '2', c: '3' })
  })

  it('are applied once for one idempotency key, and a key stands for one request', async () => {
    const headers = { 'idempotency-key': 'once' }
    const first = await server.post('/tasks', daily('once'), headers)
    const again = await server.post('/tasks', daily('once'), headers)
    expect([again.status, again.body.id]).toEqual([201, first.body.id])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.headers.get('almanac-position')).toBe(first.headers.get('almanac-position'))
    const other = await server.post('/tasks', daily('twice'), headers)
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_conflict'])
    const elsewhere = await server.ask('POST', '/v1/namespaces/other/tasks', daily('once'), headers)
    expect(elsewhere.status).toBe(201)
  })

  it('of one name made at once: one wins (RELIABILITY 7, row 33)', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.post('/tasks', daily('race'))))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409, 409, 409])
  })

  it('treat one name in two Unicode forms as one (row 22)', async () => {
    expect((await server.post('/tasks', daily('caf\u00e9'))).status).toBe(201)
    expect((await server.post('/tasks', daily('cafe\u0301'))).body).toMatchObject({
      status: 409,
      code: 'name_taken',
    })
    expect((await server.get(`/tasks/by-name/${encodeURIComponent('cafe\u0301')}`)).body.name).toBe(
      'caf\u00e9',
    )
  })

  it('can be looked back through', async () => {
    const created = await server.post('/tasks', daily('past', { priority: 1 }))
    const position = created.headers.get('almanac-position')
    const { id } = created.body
    await server.ask('PATCH', `/tasks/${id}`, { priority: 2 })
    await server.ask('DELETE', `/tasks/${id}`)
    expect((await server.get(`/tasks/${id}`)).status).toBe(404)
    expect((await server.get(`/tasks/${id}?asOf=${position}`)).body).toMatchObject({
      priority: 1,
      revision: 0,
    })
    const then = await server.get(`/tasks?name=past&asOf=${position}`)
    expect(then.body.items).toMatchObject([{ id, priority: 1 }])
    expect((await server.get('/tasks?asOf=0')).body).toEqual({ items: [], nextCursor: null, total: 0 })
    const { items } = (await server.get(`/tasks/${id}/history`)).body
    expect(items.at(1).changes).toEqual([{ path: 'priority', before: 1, after: 2 }])
  })

  it('are listed in full by pages of any size', async () => {
    const operations = Array.from({ length: 25 }, (_, i) => ({
      op: 'create',
      task: daily(`page ${String(i).padStart(2, '0')}`, { queue: 'pages' }),
    }))
    expect((await server.post('/tasks/bulk', { operations })).body).toMatchObject({
      succeeded: 25,
      failed: 0,
    })
    const names: string[] = []
    let cursor = ''
    do {
      const { body } = await server.get(`/tasks?queue=pages&limit=7${cursor}`)
      expect(body.total).toBe(25)
      names.push(...body.items.map(({ name }: { name: string }) => name))
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`
    } while (cursor !== '')
    expect(names).toEqual(operations.map(({ task }) => task.name))
  })
})

describe('shared schedules', () => {
  it('are used by tasks, guarded while used, and deleted with them on demand', async () => {
    const made = await server.post('/schedules', {
      name: 'nightly',
      schedule: { crontab: { expression: '0 1 * * *' } },
    })
    expect(made.status).toBe(201)
    const { id } = made.body
    const task = (await server.post('/tasks', daily('uses', { schedule: { ref: 'nightly' } }))).body
    expect(task).toMatchObject({ schedule: { ref: 'nightly' }, scheduleText: 'At 01:00 AM UTC' })
    expect((await server.get('/schedules/by-name/nightly')).body.usedBy).toEqual({
      total: 1,
      names: ['uses'],
    })
    const unknown = await server.post('/tasks', daily('lost', { schedule: { ref: 'none' } }))
    expect([unknown.status, unknown.body.code]).toEqual([422, 'schedule_unknown'])
    const refused = await server.ask('DELETE', `/schedules/${id}`)
    expect([refused.status, refused.body.code]).toEqual([409, 'schedule_in_use'])
    const gone = await server.ask('DELETE', `/schedules/${id}?cascade=true`)
    expect(gone.status).toBe(204)
    const url = `${server.url}/v1/namespaces/default/events?after=${Number(gone.headers.get('almanac-position')) - 1}`
    const events = await readEvents(url, 2)
    expect(events.map(({ event }) => event)).toEqual(['ScheduleDeleted', 'TaskDeleted'])
    expect((await server.get(`/tasks/${task.id}?minPosition=${events[1]?.id}`)).status).toBe(404)
  })

  it('and calendars work alike', async () => {
    const made = await server.post('/calendars', { name: 'holidays', days: { dates: ['2027-01-01'] } })
    expect([made.status, made.body.days]).toEqual([201, { dates: ['2027-01-01'] }])
    const { id } = made.body
    const base = { crontab: { expression: '0 0 * * *' } }
    const schedule = { except: { base, exclude: [{ calendar: { ref: 'holidays' } }] } }
    const preview = await server.post('/schedules/preview', {
      schedule,
      from: '2026-12-31T12:00:00Z',
      count: 1,
    })
    expect(preview.body.occurrences).toEqual(['2027-01-02T00:00:00.000Z'])
    expect((await server.post('/tasks', daily('no holidays', { schedule }))).status).toBe(201)
    expect((await server.ask('DELETE', `/calendars/${id}`)).body).toMatchObject({
      status: 409,
      code: 'calendar_in_use',
    })
    const patched = await server.ask('PATCH', `/calendars/${id}`, { days: { annual: ['01-01'] } })
    expect([patched.status, patched.body.revision]).toEqual([200, 1])
  })
})

describe('the change feed', () => {
  it('goes on after the last id that was seen', async () => {
    const { headers } = await server.post('/tasks', daily('feed 1'))
    const start = Number(headers.get('almanac-position'))
    const url = `${server.url}/v1/namespaces/default/events`
    const reading = readEvents(`${url}?after=${start}`, 2)
    await server.post('/tasks', daily('feed 2'))
    await server.post('/tasks', daily('feed 3'))
    const seen = await reading
    expect(seen.map(({ data }) => data.type)).toEqual(['TaskCreated', 'TaskCreated'])
    await server.post('/tasks', daily('feed 4'))
    const resumed = await readEvents(url, 2, { 'last-event-id': String(seen[0]?.id) })
    expect(resumed.map(({ data }) => (data.data as { spec: { name: string } }).spec.name)).toEqual([
      'feed 3',
      'feed 4',
    ])
  })
})

describe('starting and stopping', () => {
  it('keeps everything over a restart', async () => {
    const own = new TestServer()
    await own.start()
    const { id } = (await own.post('/tasks', daily('stays'))).body
    const { runId } = (await own.post(`/tasks/${id}/trigger`)).body
    const [run] = (await own.post('/queues/default/lease', { waitMs: 20_000 })).body.runs
    await own.stop()
    await own.start()
    expect((await own.get(`/tasks/${id}`)).body).toMatchObject({
      name: 'stays',
      revision: 1,
      totalRunCount: 1,
    })
    expect((await own.get('/runs')).body).toMatchObject({ total: 1, items: [{ runId, status: 'running' }] })
    expect((await own.post(`/runs/${runId}/ack`, { leaseToken: run.leaseToken })).status).toBe(200)
    await own.remove()
  })

  it('ends long waits and streams when it stops', async () => {
    const own = new TestServer()
    await own.start()
    const waiting = own.post('/queues/default/lease', { waitMs: 30_000 })
    const stream = await fetch(`${own.url}/v1/namespaces/default/events`)
    const ended = stream.text()
    await own.stop()
    expect((await waiting).body).toEqual({ runs: [] })
    expect(await ended).toContain('retry: 2000')
    await own.remove()
  })

  it('refuses a folder or a port that is in use, and says what to change', async () => {
    const folder = startStandalone(server.config())
    await expect(folder).rejects.toThrow(StartProblem)
    await expect(folder).rejects.toThrow(/in use by another Almanac process/)
    const other = new TestServer()
    const port = startStandalone(other.config({ port: new URL(server.url).port }))
    await expect(port).rejects.toThrow(/ALMANAC_PORT/)
    await other.start()
    expect((await other.get('/livez')).status).toBe(200)
    await other.remove()
  })

  it('holds a data folder to the cluster and the partitions it was made with', async () => {
    const own = new TestServer()
    await own.start()
    await own.stop()
    await expect(startStandalone(own.config({ partitions: '8' }))).rejects.toThrow(/ALMANAC_PARTITIONS=4/)
    await expect(startStandalone(own.config({ cluster: 'other' }))).rejects.toThrow(/ALMANAC_CLUSTER=almanac/)
    await own.start()
    await own.remove()
  })
})

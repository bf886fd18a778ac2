import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEvents, TestServer } from '../test-support/server.js'

// Who changed what, and taking it back, over real HTTP.

const server = new TestServer()
beforeAll(() => server.start())
afterAll(() => server.remove())

const daily = { crontab: { minute: '0', hour: '2' } }
const task = (name: string, more: object = {}) => ({ name, task: 'demo', schedule: daily, ...more })
const created = async (name: string, more: object = {}) => {
  const answer = await server.post('/tasks', task(name, more))
  expect(answer.status).toBe(201)
  return answer
}
const patch = (id: string, changes: object, headers: Record<string, string> = {}) =>
  server.ask('PATCH', `/tasks/${id}`, changes, { 'content-type': 'application/merge-patch+json', ...headers })

describe('a change of a task', () => {
  it('is previewed, taken back with a reason, told in the history, and taken back itself', async () => {
    const { id } = (await created('undo')).body
    await patch(id, { queue: 'fast', priority: 3 })
    const preview = (await server.get(`/tasks/${id}/history/1/undo`)).body
    expect(preview).toMatchObject({ undoes: { revision: 1, type: 'TaskChanged' }, conflicts: [] })
    expect(preview.changes).toEqual([
      { path: 'queue', before: 'fast', after: null },
      { path: 'priority', before: 3, after: null },
    ])
    const undone = await server.post(`/tasks/${id}/history/1/undo`, { reason: 'too fast' })
    expect([undone.status, undone.headers.get('etag')]).toEqual([200, '"2"'])
    expect(undone.body).toMatchObject({ kind: 'task', id, status: 'active', revision: 2 })
    expect(undone.body.event).toMatchObject({ undoes: 1, reason: 'too fast', actor: 'anonymous' })
    expect((await server.get(`/tasks/${id}`)).body).toMatchObject({ queue: null, priority: null })
    const again = await server.post(`/tasks/${id}/history/1/undo`)
    expect(again.body).toMatchObject({ revision: 2, event: null })
    await server.post(`/tasks/${id}/history/2/undo`)
    expect((await server.get(`/tasks/${id}`)).body).toMatchObject({ queue: 'fast', priority: 3 })
  })

  it('is refused where others have changed the same fields, unless it is forced', async () => {
    const { id } = (await created('conflict')).body
    await patch(id, { queue: 'fast', priority: 3 })
    await patch(id, { queue: 'slow' })
    const refused = await server.post(`/tasks/${id}/history/1/undo`)
    expect([refused.status, refused.body.code]).toEqual([409, 'undo_conflict'])
    expect(refused.body.errors).toMatchObject([{ path: 'queue', code: 'changed_since' }])
    expect((await server.get(`/tasks/${id}`)).body).toMatchObject({ revision: 2, priority: 3 })
    const preview = (await server.get(`/tasks/${id}/history/1/undo`)).body
    expect(preview.conflicts).toEqual([{ path: 'queue', set: 'fast', now: 'slow', revision: 2 }])
    const forced = await server.post(`/tasks/${id}/history/1/undo`, { force: true })
    expect(forced.body).toMatchObject({ revision: 3 })
    expect((await server.get(`/tasks/${id}`)).body).toMatchObject({ queue: null, priority: null })
  })

  it('obeys If-Match, is idempotent by its key, and says what cannot be undone', async () => {
    const { id } = (await created('guarded', { enabled: false })).body
    await patch(id, { queue: 'fast' })
    const url = `/tasks/${id}/history/1/undo`
    const stale = await server.post(url, {}, { 'if-match': '"0"' })
    expect([stale.status, stale.body.code]).toEqual([412, 'revision_mismatch'])
    const key = { 'idempotency-key': 'undo-1' }
    const first = await server.post(url, {}, key)
    const second = await server.post(url, {}, key)
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    await server.post(`/tasks/${id}/trigger`)
    const triggered = (await server.get(`/tasks/${id}/history`)).body.items.at(-1)
    expect(triggered.type).toBe('TaskTriggered')
    const ran = await server.post(`/tasks/${id}/history/${triggered.revision}/undo`)
    expect([ran.status, ran.body.code]).toEqual([409, 'not_undoable'])
    for (const revision of [99, 'x', -1]) {
      const answer = await server.post(`/tasks/${id}/history/${revision}/undo`)
      expect(answer.status).toBe(revision === 99 ? 404 : 400)
    }
    const elsewhere = await server.post(`/v1/namespaces/other/tasks/${id}/history/1/undo`)
    expect([elsewhere.status, elsewhere.body.code]).toEqual([404, 'not_found'])
  })

  it('that deleted it brings it back, under its id and with its history', async () => {
    const { id } = (await created('lost and found', { queue: 'q' })).body
    expect((await server.ask('DELETE', `/tasks/${id}`)).status).toBe(204)
    const restored = await server.post(`/tasks/${id}/history/1/undo`)
    expect(restored.body).toMatchObject({ status: 'active', revision: 2, event: { type: 'TaskRestored' } })
    expect((await server.get(`/tasks/by-name/lost%20and%20found`)).body).toMatchObject({ id, queue: 'q' })
    const { nextRunAt } = (await server.get(`/tasks/${id}`)).body
    expect(nextRunAt).not.toBeNull()
  })
})

describe('all that one request did', () => {
  it('is taken back as a whole, and the undo as well', async () => {
    const ids: string[] = []
    for (const name of ['one', 'two', 'three']) ids.push((await created(`bulk ${name}`)).body.id)
    const operations = [
      ...ids.map((id) => ({ op: 'patch', id, changes: { queue: 'night' } })),
      { op: 'create', task: task('bulk four') },
    ]
    const bulk = await server.post('/tasks/bulk', { operations })
    expect(bulk.body.succeeded).toBe(4)
    const [change] = (await server.get(`/tasks/${ids[0]}/history`)).body.items.slice(-1)
    await patch(ids[2] ?? '', { queue: 'day' })
    const url = `/changes/${change.correlationId}/undo`
    const preview = (await server.get(url)).body
    expect(preview).toMatchObject({ total: 4, undoable: 3, unchanged: 0, refused: 1 })
    const undone = (await server.post(url, { reason: 'wrong tasks' })).body
    expect(undone).toMatchObject({ total: 4, undone: 3, unchanged: 0, refused: 1 })
    expect(undone.problems).toMatchObject([{ kind: 'task', id: ids[2], code: 'undo_conflict' }])
    const queues = async () =>
      Promise.all(ids.map(async (id) => (await server.get(`/tasks/${id}`)).body.queue))
    expect(await queues()).toEqual([null, null, 'day'])
    expect((await server.get('/tasks/by-name/bulk%20four')).status).toBe(404)
    expect((await server.post(url)).body).toMatchObject({ undone: 0, unchanged: 3, refused: 1 })
    expect((await server.post(`/changes/${undone.correlationId}/undo`)).body).toMatchObject({ undone: 3 })
    expect(await queues()).toEqual(['night', 'night', 'day'])
    expect((await server.get('/tasks/by-name/bulk%20four')).status).toBe(200)
  })

  it('restores what tasks refer to before them', async () => {
    const { id } = (await server.post('/schedules', { name: 'shared', schedule: daily })).body
    const taskId = (await created('refers', { schedule: { ref: 'shared' } })).body.id
    await server.ask('DELETE', `/schedules/${id}?cascade=true`)
    expect((await server.get(`/tasks/${taskId}`)).status).toBe(404)
    const deletion = (await server.get(`/schedules/${id}/history`)).body.items.at(-1)
    const undone = (await server.post(`/changes/${deletion.correlationId}/undo`)).body
    expect(undone).toMatchObject({ total: 2, undone: 2, refused: 0 })
    expect((await server.get(`/tasks/${taskId}`)).body.schedule).toEqual({ ref: 'shared' })
    const unknown = await server.post('/changes/nobody/undo')
    expect([unknown.status, unknown.body.code]).toEqual([404, 'not_found'])
  })
})

describe('the history of a namespace', () => {
  it('tells who changed what, by whom, kind, type and time, page by page', async () => {
    const namespace = '/v1/namespaces/audit'
    const ask = (method: string, path: string, body?: object, actor = 'mia') =>
      server.ask(method, `${namespace}${path}`, body, { 'almanac-actor': actor })
    const { id } = (await ask('POST', '/tasks', task('a'))).body
    await ask('POST', '/tasks', task('b'), 'tom')
    await ask('POST', `/tasks/${id}/disable`, { reason: 'maintenance' }, 'tom')
    await ask('POST', '/schedules', { name: 's', schedule: daily })
    const read = async (query: string) => (await server.get(`${namespace}/history?${query}`)).body
    const texts = ({ items }: { items: { text: string }[] }) => items.map(({ text }) => text)
    expect(texts(await read(''))).toEqual([
      'mia created the task "a"',
      'tom created the task "b"',
      'tom disabled it (maintenance)',
      'mia created the shared schedule "s"',
    ])
    expect(texts(await read('actor=tom'))).toHaveLength(2)
    expect(texts(await read('kind=schedule'))).toHaveLength(1)
    expect(texts(await read('type=TaskDisabled&type=TaskEnabled'))).toEqual(['tom disabled it (maintenance)'])
    expect(texts(await read(`task=${id}`))).toHaveLength(2)
    expect(texts(await read('to=2020-01-01T00:00:00Z'))).toEqual([])
    const first = await read('limit=3')
    const rest = await read(`limit=3&cursor=${first.nextCursor}`)
    expect([...texts(first), ...texts(rest)]).toHaveLength(4)
    expect(rest.nextCursor).toBeNull()
    const [disabled] = (await read('type=TaskDisabled')).items
    expect(disabled.changes).toEqual([{ path: 'enabled', before: true, after: false }])
    expect(disabled.subject).toEqual({ kind: 'task', id, name: 'a' })
    const { position } = await read('')
    await ask('POST', `/tasks/${id}/enable`)
    expect(texts(await read(`after=${position}`))).toEqual(['mia enabled it'])
    const wrong = await server.get(`${namespace}/history?kind=nonsense`)
    expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid_query'])
  })

  it('is paged by task too, and shows it as it was', async () => {
    const { body } = await created('paged')
    for (const priority of [1, 2, 3]) await patch(body.id, { priority })
    const all = (await server.get(`/tasks/${body.id}/history`)).body
    expect(all).toMatchObject({ total: 4, nextCursor: null })
    const first = (await server.get(`/tasks/${body.id}/history?limit=3`)).body
    const rest = (await server.get(`/tasks/${body.id}/history?limit=3&cursor=${first.nextCursor}`)).body
    expect([...first.items, ...rest.items]).toEqual(all.items)
    const then = (await server.get(`/tasks/${body.id}/history?asOf=${all.items[1].position}`)).body
    expect(then.items).toEqual(all.items.slice(0, 2))
    const byName = await server.get(`/tasks/by-name/paged?asOf=${all.items[1].position}`)
    expect(byName.body).toMatchObject({ id: body.id, priority: 1 })
  })
})

it('the feed tells what is asked for, and goes on behind what it leaves out', async () => {
  const { body, headers } = await created('fed')
  const after = Number(headers.get('almanac-position'))
  await created('not fed')
  await patch(body.id, { priority: 1 })
  await server.post('/schedules', { name: 'fed', schedule: daily })
  const url = `${server.url}/v1/namespaces/default/events?after=${after}`
  const [change] = await readEvents(`${url}&task=${body.id}`, 1)
  expect(change).toMatchObject({ event: 'TaskChanged', data: { subject: { id: body.id } } })
  const [schedule] = await readEvents(`${url}&kind=schedule`, 1)
  expect(schedule?.event).toBe('ScheduleCreated')
})

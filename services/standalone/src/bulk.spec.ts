import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestServer } from '../test-support/server.js'

// Many changes in one request, over real HTTP.

const server = new TestServer()
beforeAll(() => server.start())
afterAll(() => server.remove())

const daily = { crontab: { minute: '0', hour: '2' } }
const task = (name: string, more: object = {}) => ({ name, task: 'demo', schedule: daily, ...more })
const inNamespace = (namespace: string) => ({
  post: (path: string, body?: unknown, headers?: Record<string, string>) =>
    server.post(`/v1/namespaces/${namespace}${path}`, body, headers),
  get: (path: string) => server.get(`/v1/namespaces/${namespace}${path}`),
  async fill(...names: string[]) {
    const ids: string[] = []
    for (const name of names) {
      ids.push((await this.post('/tasks', task(name, { labels: { team: name.slice(0, 1) } }))).body.id)
    }
    return ids
  },
  async names() {
    return (await this.get('/tasks')).body.items.map(({ name }: { name: string }) => name)
  },
})

describe('a list of operations, all or none', () => {
  it('does all', async () => {
    const at = inNamespace('atomic-all')
    const operations = ['a', 'b'].map((name) => ({ op: 'create', task: task(name) }))
    const { body } = await at.post('/tasks/bulk', { atomic: true, operations })
    expect(body).toMatchObject({ succeeded: 2, failed: 0 })
    expect(body).not.toHaveProperty('rolledBack')
    expect(await at.names()).toEqual(['a', 'b'])
  })

  it('takes back those before one that is refused, tries none behind it, and says so of each', async () => {
    const at = inNamespace('atomic-none')
    const [id] = await at.fill('old')
    const operations = [
      { op: 'patch', id, changes: { queue: 'fast' } },
      { op: 'patch', id, changes: { priority: 3 } },
      { op: 'create', task: task('new') },
      { op: 'create', task: task('old') },
      { op: 'delete', id },
    ]
    const { body } = await at.post('/tasks/bulk', { atomic: true, operations })
    expect(body).toMatchObject({ succeeded: 0, failed: 5, rolledBack: true })
    expect(body.results.map(({ problem }: { problem: { code: string } }) => problem.code)).toEqual([
      'rolled_back',
      'rolled_back',
      'rolled_back',
      'name_taken',
      'rolled_back',
    ])
    expect(await at.names()).toEqual(['old'])
    expect((await at.get(`/tasks/${id}`)).body).toMatchObject({ queue: null, priority: null })
  })

  it('refuses what cannot be taken back, before anything is done', async () => {
    const at = inNamespace('atomic-trigger')
    const [id] = await at.fill('x')
    const operations = [
      { op: 'disable', id },
      { op: 'trigger', id },
    ]
    const { status, body } = await at.post('/tasks/bulk', { atomic: true, operations })
    expect([status, body.errors[0].path]).toEqual([400, 'operations[1].op'])
    expect((await at.get(`/tasks/${id}`)).body.enabled).toBe(true)
  })
})

describe('an operation on all that match', () => {
  it('is previewed, done to exactly the previewed tasks, and taken back as a whole', async () => {
    const at = inNamespace('by-query')
    const [, second] = await at.fill('a1', 'a2', 'b1')
    const asked = { filter: { label: ['team=a'] }, op: 'patch', changes: { queue: 'slow' } }
    const preview = (await at.post('/tasks/bulk-query', asked)).body
    expect(preview).toMatchObject({ total: 2, sample: [{ name: 'a1' }, { name: 'a2' }], done: null })
    expect((await at.get('/tasks?queue=slow')).body.total).toBe(0)
    await at.fill('a3')
    await server.ask('DELETE', `/v1/namespaces/by-query/tasks/${second}`)
    const { body, headers } = await at.post(
      '/tasks/bulk-query',
      { ...asked, token: preview.token, reason: 'ticket 7' },
      { 'idempotency-key': 'k' },
    )
    expect(body).toMatchObject({ total: 2, token: null, done: { succeeded: 1, failed: 1 } })
    expect(body.done.problems).toMatchObject([{ id: second, problem: { code: 'not_found' } }])
    expect(Number(headers.get('almanac-position'))).toBeGreaterThan(0)
    const slow = (await at.get('/tasks?queue=slow')).body
    expect(slow.items).toMatchObject([{ name: 'a1' }])
    const undone = (await at.post(`/changes/${body.done.correlationId}/undo`)).body
    expect(undone).toMatchObject({ total: 1, undone: 1 })
    expect((await at.get('/tasks?queue=slow')).body.total).toBe(0)
  })

  it('takes no token of another request, and names what it does not know', async () => {
    const at = inNamespace('by-query-refused')
    await at.fill('x')
    const { token } = (await at.post('/tasks/bulk-query', { filter: {}, op: 'disable' })).body
    const other = await at.post('/tasks/bulk-query', { filter: {}, op: 'delete', token })
    expect([other.status, other.body.code]).toEqual([409, 'preview_stale'])
    const garbage = await at.post('/tasks/bulk-query', { filter: {}, op: 'disable', token: 'x' })
    expect(garbage.body.code).toBe('preview_stale')
    expect((await at.get('/tasks?enabled=true')).body.total).toBe(1)
    const wrong = [
      [{ filter: { nmae: 'x' }, op: 'disable' }, 'filter.nmae'],
      [{ filter: {}, op: 'disable', changes: {} }, 'changes'],
      [{ filter: {}, op: 'enable', until: '2030-01-01T00:00:00Z' }, 'until'],
      [{ filter: {}, op: 'patch', changes: { name: 'x' } }, 'changes.name'],
      [{ filter: {}, op: 'patch' }, 'changes'],
    ] as const
    for (const [body, path] of wrong) {
      const answer = await at.post('/tasks/bulk-query', body)
      expect([answer.status, answer.body.errors[0].path]).toEqual([400, path])
    }
  })
})

const send = async (namespace: string, lines: readonly (object | string)[], query = '') => {
  const body = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  const answer = await fetch(`${server.url}/v1/namespaces/${namespace}/import${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  })
  const text = await answer.text()
  const told = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return {
    status: answer.status,
    done: told.at(-1)?.done,
    told,
    problems: told.flatMap((one) => one.problem ?? []),
  }
}
const exported = async (namespace: string) =>
  (await (await fetch(`${server.url}/v1/namespaces/${namespace}/export`)).text()).trim().split('\n')

describe('lines of JSON', () => {
  it('give out a namespace that another takes in as it is, and again without a change', async () => {
    const at = inNamespace('export')
    await at.post('/calendars', { name: 'feasts', days: { dates: ['2026-12-25'] } })
    const schedule = { except: { base: daily, exclude: [{ calendar: { ref: 'feasts' } }] } }
    await at.post('/schedules', { name: 'workdays', schedule, description: 'd' })
    await at.fill('plain', 'täglich')
    const imported = {
      lastRunAt: '2026-01-01T00:00:00.000Z',
      totalRunCount: 7,
      anchor: '2026-01-01T00:00:00.000Z',
    }
    const all = task('all', {
      schedule: { ref: 'workdays' },
      args: [1, { x: ['ü'] }],
      kwargs: { k: null },
      priority: 3,
      expires: '2030-01-01T00:00:00.000Z',
      maxRuns: 5,
      enabled: false,
      imported,
    })
    await at.post('/tasks', all)
    const lines = await exported('export')
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual([
      'calendar',
      'schedule',
      'task',
      'task',
      'task',
      'end',
    ])
    const first = await send('import', lines)
    expect(first.problems).toEqual([])
    expect(first.done).toMatchObject({ lines: 5, created: 5, existing: 0, failed: 0 })
    const without = (line: string) => ({ ...JSON.parse(line), position: 0 })
    expect((await exported('import')).map(without)).toEqual(lines.map(without))
    const { position } = (await inNamespace('import').get('/changes/last')).body
    const again = await send('import', lines)
    expect(again.done).toMatchObject({ created: 0, existing: 5, failed: 0 })
    expect((await inNamespace('import').get('/changes/last')).body.position).toBe(position)
    const undone = (await inNamespace('import').post(`/changes/${first.done.correlationId}/undo`)).body
    expect(undone).toMatchObject({ total: 5, undone: 5, refused: 0 })
    expect(await inNamespace('import').names()).toEqual([])
  })

  it('stand or fall alone, and each that falls is told with its number and reason', async () => {
    const { done, problems } = await send('lines', [
      { kind: 'task', ...task('good') },
      '{"kind":"task","name":',
      '',
      { kind: 'task', ...task('bad cron', { schedule: { crontab: { expression: 'x' } } }) },
      { kind: 'tusk', name: 'x' },
      '[1]',
      { kind: 'task', ...task('unknown'), nmae: 1 },
      { kind: 'task', ...task('good', { queue: 'q' }) },
      { kind: 'task', ...task('refers', { schedule: { ref: 'nowhere' } }) },
      `{"kind":"task","name":"${'x'.repeat(300_000)}"}`,
      { kind: 'end', calendars: 0, schedules: 0, tasks: 900 },
    ])
    const told = problems.map(({ line, problem }) => `${line} ${problem.code}`)
    expect(told.sort()).toEqual(
      [
        '2 malformed_json',
        '4 invalid',
        '5 invalid_body',
        '6 invalid_body',
        '7 invalid_body',
        '9 schedule_unknown',
        '10 body_too_large',
        '11 invalid_body',
      ].sort(),
    )
    expect(done).toMatchObject({ created: 1, existing: 1, failed: 7 })
    expect((await inNamespace('lines').get('/tasks/by-name/good')).body.queue).toBe('q')
  })

  it('leave or refuse what exists, when told so', async () => {
    await inNamespace('modes').fill('x')
    const line = { kind: 'task', ...task('x', { queue: 'q' }) }
    expect((await send('modes', [line], '?mode=ensure')).done).toMatchObject({ existing: 1, failed: 0 })
    const refused = await send('modes', [line], '?mode=create')
    expect(refused.problems).toMatchObject([{ line: 1, name: 'x', problem: { code: 'name_taken' } }])
    expect((await inNamespace('modes').get('/tasks/by-name/x')).body.queue).toBeNull()
    expect((await server.post('/v1/namespaces/modes/import', line)).status).toBe(415)
    expect(
      (await server.post('/v1/namespaces/modes/tasks', 'x', { 'content-type': 'application/x-ndjson' }))
        .status,
    ).toBe(415)
  })
})

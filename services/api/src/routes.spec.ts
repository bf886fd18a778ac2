import type { RunRecord } from '@almanac/domain'
import { storageFull, unavailable } from '@almanac/engine'
import { problemCodes } from '@almanac/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { daily, fakeApi, type TestApi, tasks } from '../test-support/fake-api.js'
import { now } from '../test-support/fake-application.js'
import type { AccessLine } from './host.js'

const root = '/v1/namespaces/default'
const lines: AccessLine[] = []
const internal: unknown[] = []
let api: TestApi['api']
let fake: TestApi['fake']
beforeAll(async () => {
  ;({ api, fake } = await fakeApi({
    accessLog: (line) => lines.push(line),
    onInternalError: (error) => internal.push(error),
  }))
})
afterAll(() => api.close())
beforeEach(() => {
  fake.failWith = undefined
  fake.ready = true
  lines.length = 0
})

const run: RunRecord = {
  command: {
    runId: 'r1',
    namespace: 'default',
    taskId: 't1',
    taskName: 'daily',
    task: 'a.b',
    args: [1, { deep: [null] }],
    kwargs: { x: 'ü' },
    headers: {},
    queue: 'default',
    exchange: null,
    routingKey: null,
    priority: 3,
    scheduledAt: now,
    emittedAt: now + 5,
    expiresAt: null,
    kind: 'scheduled',
    overlap: 'allow',
    maxAttempts: 2,
    taskRevision: 4,
    partition: 7,
    seq: 9,
  },
  status: 'running',
  attempt: 1,
  worker: 'w',
  startedAt: now + 6,
  finishedAt: null,
  notBefore: null,
  leaseExpiresAt: now + 60_000,
  error: null,
  cancelRequested: false,
}

const command = {
  runId: 'r1',
  namespace: 'default',
  taskId: 't1',
  taskName: 'daily',
  task: 'a.b',
  args: [1, { deep: [null] }],
  kwargs: { x: 'ü' },
  headers: {},
  queue: 'default',
  routingKey: null,
  priority: 3,
  scheduledAt: '2026-01-01T00:00:00.000Z',
  emittedAt: '2026-01-01T00:00:00.005Z',
  expiresAt: null,
  kind: 'scheduled',
  attempt: 1,
  taskRevision: 4,
}

describe('the worker’s side', () => {
  it('hands out run commands as they are written down, with a lease', async () => {
    fake.leasable = [{ run, leaseToken: 'mine' }]
    const answer = await api.inject({
      method: 'POST',
      url: `${root}/queues/default/lease`,
      payload: { max: 5 },
    })
    expect(answer.json()).toEqual({
      runs: [{ ...command, leaseToken: 'mine', leaseExpiresAt: '2026-01-01T00:01:00.000Z' }],
    })
    const empty = await api.inject({ method: 'POST', url: `${root}/queues/default/lease` })
    expect([empty.statusCode, empty.json()]).toEqual([200, { runs: [] }])
  })

  it('marks a run that may have been handed out before a checkpoint was lost', async () => {
    const again = { ...run, command: { ...run.command, replayed: true as const } }
    fake.leasable = [{ run: again, leaseToken: 'mine' }]
    const lease = { method: 'POST', url: `${root}/queues/default/lease` } as const
    expect((await api.inject(lease)).json().runs).toMatchObject([{ ...command, replayed: true }])
  })

  it.each([{ max: 0 }, { max: 1_001 }, { waitMs: 30_001 }, { waitMs: -1 }, { worker: '' }, { maxi: 1 }])(
    'refuses a lease of %j',
    async (payload) => {
      const answer = await api.inject({ method: 'POST', url: `${root}/queues/default/lease`, payload })
      expect(answer.statusCode).toBe(400)
    },
  )

  it('settles a run for the holder of its lease only', async () => {
    fake.runs.set('r1', run)
    for (const verb of ['ack', 'fail', 'heartbeat']) {
      const settle = (id: string, leaseToken: string) =>
        api.inject({ method: 'POST', url: `${root}/runs/${id}/${verb}`, payload: { leaseToken } })
      expect((await settle('r1', 'mine')).statusCode).toBe(200)
      expect((await settle('r1', 'stolen')).json()).toMatchObject({ status: 409, code: 'lease_lost' })
      expect((await settle('r2', 'mine')).json()).toMatchObject({ status: 404, code: 'not_found' })
      expect((await settle('r1', '')).statusCode).toBe(400)
    }
  })

  it('shows runs', async () => {
    fake.runs.set('r1', run)
    const shown = {
      ...command,
      status: 'running',
      startedAt: '2026-01-01T00:00:00.006Z',
      finishedAt: null,
      notBefore: null,
      leaseExpiresAt: '2026-01-01T00:01:00.000Z',
      worker: 'w',
      error: null,
      maxAttempts: 2,
      cancelRequested: false,
    }
    expect((await api.inject({ url: `${root}/runs/r1` })).json()).toEqual(shown)
    expect((await api.inject({ url: `${root}/runs?task=t1&status=running&kind=scheduled` })).json()).toEqual({
      items: [shown],
      nextCursor: null,
      total: 1,
    })
    expect((await api.inject({ url: `${root}/runs?status=done` })).statusCode).toBe(400)
    expect((await api.inject({ url: `${root}/runs/none` })).statusCode).toBe(404)
  })
})

describe('preview', () => {
  const preview = async (payload: object) => {
    const answer = await api.inject({ method: 'POST', url: `${root}/schedules/preview`, payload })
    return { ...answer.json(), status: answer.statusCode }
  }

  it('tells the sentence and the instants strictly after from', async () => {
    const schedule = { crontab: { expression: '30 2 * * *', timezone: 'Europe/Berlin' } }
    expect(await preview({ schedule, from: '2026-03-28T01:30:00Z', count: 2 })).toMatchObject({
      status: 200,
      text: 'At 02:30 AM Europe/Berlin',
      occurrences: ['2026-03-29T01:30:00.000Z', '2026-03-30T00:30:00.000Z'],
      notes: [expect.stringContaining('2026-03-29')],
    })
  })

  it('answers fewer when the schedule ends', async () => {
    const schedule = { clocked: { at: '2026-12-01T00:00:00Z' } }
    expect(await preview({ schedule })).toMatchObject({
      occurrences: ['2026-12-01T00:00:00.000Z'],
      notes: [],
    })
    expect(await preview({ schedule, from: '2027-01-01T00:00:00Z' })).toMatchObject({ occurrences: [] })
  })

  it('answers a bad schedule with 422 and the field', async () => {
    expect(await preview({ schedule: { crontab: { minute: '60' } } })).toMatchObject({
      status: 422,
      code: 'invalid',
      errors: [{ path: 'schedule.crontab.minute' }],
    })
    expect(await preview({ schedule: { ref: 'none' } })).toMatchObject({
      status: 422,
      code: 'schedule_unknown',
    })
    expect(await preview({ schedule: 'daily' })).toMatchObject({ status: 400 })
    expect(await preview({ schedule: daily.schedule, count: 1_001 })).toMatchObject({ status: 400 })
  })
})

describe('the marker', () => {
  it('shows the last change, and moves when one is announced', async () => {
    const before = (await api.inject({ url: `${root}/changes/last` })).json()
    expect(before.ident).toBe(1)
    const announced = await api.inject({ method: 'POST', url: `${root}/changes` })
    expect(announced.statusCode).toBe(201)
    const after = (await api.inject({ url: `${root}/changes/last` })).json()
    expect(after).toEqual({ ident: 1, lastUpdate: '2026-01-01T00:00:00.000Z', position: before.position + 1 })
  })
})

describe('operations', () => {
  it('lives whether or not it is ready', async () => {
    fake.ready = false
    expect((await api.inject({ url: '/livez' })).json()).toEqual({ status: 'ok' })
    const ready = await api.inject({ url: '/readyz' })
    expect([ready.statusCode, ready.headers['retry-after']]).toEqual([503, '1'])
    expect(ready.json()).toEqual({ status: 'unavailable', problem: 'starting' })
    fake.ready = true
    expect((await api.inject({ url: '/readyz' })).json()).toEqual({ status: 'ok' })
  })

  it('shows nodes and counts', async () => {
    const cluster = (await api.inject({ url: '/v1/cluster' })).json()
    expect(cluster).toMatchObject({ cluster: 'test', nodes: [{ nodeId: 'n1', lag: 0 }], runs: { queued: 2 } })
  })

  it('writes one line per request, without the body', async () => {
    await api.inject({ method: 'POST', url: tasks, payload: daily, headers: { 'almanac-actor': 'mia' } })
    expect(lines).toMatchObject([
      { method: 'POST', route: '/v1/namespaces/:namespace/tasks', status: 201, actor: 'mia' },
    ])
  })
})

describe('faults', () => {
  const create = () => api.inject({ method: 'POST', url: tasks, payload: { ...daily, name: 'fault' } })

  it('answers storage faults with their code', async () => {
    fake.failWith = storageFull('disk')
    expect((await create()).json()).toMatchObject({ status: 507, code: 'storage_full' })
    fake.failWith = unavailable('away')
    const away = await create()
    expect(away.json()).toMatchObject({ status: 503, code: 'unavailable' })
    expect(away.headers['retry-after']).toBe('1')
  })

  it('keeps what went wrong inside to itself', async () => {
    fake.failWith = new Error('secret at /home/x.ts:12')
    const answer = await create()
    expect(answer.json()).toMatchObject({
      status: 500,
      code: 'internal',
      detail: problemCodes.internal.title,
    })
    expect(answer.body).not.toContain('secret')
    expect(internal.at(-1)).toBe(fake.failWith)
  })
})

describe('the OpenAPI document', () => {
  const document = async () => (await api.inject({ url: '/openapi.json' })).json()

  it('has every route that is served, and no other', async () => {
    const { paths } = await document()
    const documented = Object.entries<object>(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const printed = api.printRoutes({ commonPrefix: false })
    expect(documented.sort()).toEqual(servedRoutes(printed).sort())
  })

  it('is version 3.1, with full schemas where the domain checks', async () => {
    const { openapi, paths, components } = await document()
    expect(openapi).toBe('3.1.0')
    expect(components.schemas.Schedule.anyOf.length).toBe(7)
    const body = paths[`/v1/namespaces/{namespace}/tasks`].post.requestBody.content['application/json'].schema
    expect(body.properties.schedule).toEqual({ $ref: '#/components/schemas/Schedule' })
    expect(body.additionalProperties).toBe(false)
    expect(JSON.stringify(paths)).not.toContain('x-schema')
  })

  it('is shown by pages that load nothing from elsewhere', async () => {
    const page = await api.inject({ url: '/docs/' })
    expect(page.statusCode).toBe(200)
    expect(page.body).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(page.headers['content-security-policy']).toContain("default-src 'self'")
    expect(page.headers['content-security-policy']).not.toMatch(/https:|unsafe|swagger/)
  })
})

describe('the status page', () => {
  it('is served with its script and style as files', async () => {
    const page = await api.inject({ url: '/' })
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.body).not.toMatch(/<script>|<style|style="|onclick=|(src|href)="(https?:)?\/\//)
    for (const url of [...page.body.matchAll(/(?:src|href)="(\/page\.[a-z]+)"/g)].map(([, path]) => path)) {
      expect((await api.inject({ url: url ?? '' })).statusCode).toBe(200)
    }
  })
})

/** `METHOD /path/{name}` of Fastify's own list, less the pages and the automatic HEADs. */
function servedRoutes(printed: string): string[] {
  const served: string[] = []
  const path: string[] = []
  for (const line of printed.split('\n')) {
    const match = /^([│ ]*)[├└]── (\S*)(?: \((.+)\))?$/.exec(line)
    if (match === null) continue
    const [, indent = '', part = '', methods = ''] = match
    path.length = indent.length / 4
    path.push(part)
    const url = path.join('').replace(/:(\w+)/g, '{$1}')
    if (methods === '' || url === '/' || url === '*' || /^\/(docs|page\.)/.test(url)) continue
    served.push(
      ...methods
        .split(', ')
        .filter((name) => name !== 'HEAD')
        .map((name) => `${name} ${url}`),
    )
  }
  return served
}

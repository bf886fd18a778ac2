import type { EventJson, OccurrenceJson, TaskJson } from '@almanac/protocol'
import { describe, expect, it } from 'vitest'
import { almanac, list, onTasks, problem } from '../test-support/almanac.js'
import { fakeWorld } from '../test-support/fake-world.js'
import { sampleTask } from '../test-support/samples.js'
import { widthOf } from './output/text.js'
import { run } from './program.js'

describe('tasks list', () => {
  it('shows a table and sends the filters as they are', async () => {
    const { code, out, asked } = await almanac(
      ['tasks', 'list', '--enabled', '-q', 'back', '-l', 'a=b', '-l', 'c', '--as-of', '-1h', '-n', 'ops'],
      onTasks(sampleTask()),
    )
    expect(code).toBe(0)
    expect(out).toContain('Daily backup at 2 AM  enabled  At 02:00 AM UTC  in 14 h')
    expect(asked[0]?.path).toBe('/v1/namespaces/ops/tasks')
    expect(Object.fromEntries(asked[0]?.query ?? [])).toMatchObject({
      enabled: 'true',
      q: 'back',
      asOf: '2026-11-24T11:00:00.000Z',
    })
    expect(asked[0]?.query.getAll('label')).toEqual(['a=b', 'c'])
    expect(asked[0]?.headers['almanac-actor']).toBe('cli:tester')
  })

  it.each([80, 120, 200])('fits a terminal of %i columns', async (columns) => {
    const tasks = [
      sampleTask(),
      sampleTask({
        name: '新年のあいさつ 🎉 with a rather long name to be cut somewhere',
        exchange: 'x',
        queue: null,
      }),
      sampleTask({ quarantine: { code: 'broken', message: 'no' }, scheduleText: 'At '.repeat(60) }),
    ]
    const { out } = await almanac(['tasks', 'list'], onTasks(...tasks), { columns })
    for (const line of out.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns)
  })

  it('prints the answer as it is with --json', async () => {
    const { out } = await almanac(['tasks', 'list', '--json'], onTasks(sampleTask()))
    expect(JSON.parse(out)).toEqual({ items: [sampleTask()], nextCursor: null, total: 1 })
  })

  it('follows the cursor with --all', async () => {
    const { out, asked } = await almanac(['tasks', 'list', '--all', '--json'], ({ query }) => {
      const at = Number(query.get('cursor') ?? 0)
      const items = [sampleTask({ name: `t${at}` })]
      return { body: { items, nextCursor: at === 2 ? null : String(at + 1), total: 3 } }
    })
    expect(JSON.parse(out).items.map(({ name }: TaskJson) => name)).toEqual(['t0', 't1', 't2'])
    expect(asked).toHaveLength(3)
  })

  it('has no colours unless asked', async () => {
    const plain = await almanac(['tasks', 'list'], onTasks(sampleTask()))
    expect(plain.out).not.toContain('\u001b')
    const coloured = await almanac(['tasks', 'list'], onTasks(sampleTask()), { coloured: true })
    expect(coloured.out).toContain('\u001b')
  })
})

describe('names', () => {
  it('are looked up exactly, then as an id', async () => {
    const byId = await almanac(['tasks', 'show', '01JAAAAAAAAAAAAAAAAAAAAAAA'], onTasks(sampleTask()))
    expect(byId.code).toBe(0)
    expect(byId.out).toContain('Daily backup at 2 AM')
  })

  it('that nobody has are answered with similar ones', async () => {
    const { code, err } = await almanac(['tasks', 'show', 'daily backup'], ({ query }) =>
      list(query.has('name') ? [] : [sampleTask()]),
    )
    expect(code).toBe(1)
    expect(err).toContain('There is no task named "daily backup" in the namespace default.')
    expect(err).toContain('Similar: "Daily backup at 2 AM"')
  })
})

describe('errors', () => {
  it('print the sentence and each field, and end with 1', async () => {
    const errors = [{ path: 'schedule.crontab.hour', code: 'out_of_range', message: 'must be 0 to 23' }]
    const args = ['tasks', 'create', '--name', 'x', '--task', 'y', '--schedule', '0 2 * * *']
    const { code, err, out } = await almanac(args, () =>
      problem(422, 'invalid', 'A rule forbids it.', errors),
    )
    expect(code).toBe(1)
    expect(err).toBe('error A rule forbids it.\n  schedule.crontab.hour  must be 0 to 23\n')
    expect(out).toBe('')
  })

  it('are JSON on stderr with --json', async () => {
    const { err } = await almanac(['runs', 'show', 'x', '--json'], () => problem(404, 'not_found', 'No run.'))
    expect(JSON.parse(err)).toEqual({
      error: { code: 'not_found', message: 'No run.', status: 404, errors: [] },
    })
  })

  it('end with 3 when nobody listens, or the server cannot answer now', async () => {
    const world = fakeWorld({ env: { ALMANAC_URL: 'http://127.0.0.1:1' } })
    expect(await run(world, ['tasks', 'list'])).toBe(3)
    expect(world.printed.err).toMatch(/cannot be reached: .*\n.*almanac serve/)
    const { code } = await almanac(['tasks', 'list'], () => problem(503, 'not_ready', 'Starting.'))
    expect(code).toBe(3)
  })

  it.each([
    [['tasks', 'lsit']],
    [['tasks', 'list', '--nope']],
    [['tasks', 'show']],
    [['tasks', 'list', '--limit', '0']],
    [['tasks', 'list', '--url', 'ftp://x']],
    [['tasks', 'list', '-n', 'No Such']],
    [['tasks', 'list', '--enabled', '--disabled']],
    [['tasks', 'why', 'x', '--from', 'tomorrow']],
    [['preview', '* * * * *', '--count', '1001']],
    [['preview', '* * * * *', '-z', 'Mars/Phobos']],
    [['import', 'celery', 'x.json', '--on-conflict', 'maybe']],
    [['preview', '{bad']],
    [['tasks', 'create', '--name', 'n', '--task', 't', '--schedule', '{bad']],
    [['tasks', 'create', '--name', 'n', '--task', 't', '--schedule', '@daily', '--args', 'xx']],
    [['schedules', 'create', '--name', 'n', '--schedule', '{bad']],
  ])('end with 2 on wrong usage: %j', async (args) => {
    const { code, err, asked } = await almanac(args)
    expect(code).toBe(2)
    expect(err).not.toBe('')
    expect(asked).toEqual([])
  })

  it('help and version end with 0', async () => {
    for (const args of [['--help'], ['--version'], ['tasks', 'create', '--help'], []]) {
      const { code, out } = await almanac(args)
      expect(code).toBe(0)
      expect(out).not.toBe('')
    }
  })
})

describe('tasks create', () => {
  it('sends only what was said', async () => {
    const args =
      'tasks create --name n --task t --one-off --priority 9 --expires 2027-01-01 -l a=b=c --disabled'
    const given = ['--schedule', '{"interval":{"every":30,"period":"minutes"}}', '--args', '["新年"]']
    const { code, asked } = await almanac([...args.split(' '), ...given], () => ({
      status: 201,
      body: sampleTask(),
    }))
    expect(code).toBe(0)
    expect(asked[0]?.body).toEqual({
      name: 'n',
      task: 't',
      schedule: { interval: { every: 30, period: 'minutes' } },
      args: ['新年'],
      oneOff: true,
      priority: 9,
      expires: '2027-01-01T00:00:00.000Z',
      labels: { a: 'b=c' },
      enabled: false,
    })
  })

  it('gets or creates by name with --if-missing', async () => {
    const args = ['tasks', 'create', '--name', 'a b', '--task', 't', '--schedule', '@daily', '--if-missing']
    const { out, asked } = await almanac(args, () => ({ status: 200, body: sampleTask() }))
    expect(asked[0]).toMatchObject({ method: 'PUT', path: '/v1/namespaces/default/tasks/by-name/a b' })
    expect(asked[0]?.headers['if-none-match']).toBe('*')
    expect(out).toContain('exists already, left as it is')
  })

  it('refuses a bad schedule by field, without asking the server', async () => {
    const args = ['tasks', 'create', '--name', 'n', '--task', 't', '--schedule', '0 25 * * *']
    const { code, err, asked } = await almanac(args)
    expect(code).toBe(2)
    expect(err).toMatch(/"0 25 \* \* \*" is not a valid crontab line\.\n {2}hour /)
    expect(asked).toEqual([])
  })
})

describe('changes', () => {
  it('are done to each task named, with the reason; one failure does not keep the others', async () => {
    const two = [sampleTask({ name: 'a', id: '01JAAAAAAAAAAAAAAAAAAAAAAB' }), sampleTask({ name: 'b' })]
    const { code, out, err, asked } = await almanac(
      ['tasks', 'disable', 'a', 'x', 'b', '-r', 'żółw'],
      (question) => (question.path.endsWith('/disable') ? { body: two[0] } : onTasks(...two)(question)),
    )
    expect(out).toBe('a: disabled\nb: disabled\n')
    expect(err).toContain('There is no task named "x"')
    expect(code).toBe(1)
    const changes = asked.filter(({ method }) => method === 'POST')
    expect(changes.map(({ body }) => body)).toEqual([{ reason: 'żółw' }, { reason: 'żółw' }])
  })

  it('delete with a reason in Unicode', async () => {
    const { code, asked } = await almanac(
      ['tasks', 'delete', 'Daily backup at 2 AM', '-r', 'żółw'],
      (question) =>
        question.path.endsWith('/bulk')
          ? { body: { results: [{ op: 'delete', status: 204 }] } }
          : onTasks(sampleTask())(question),
    )
    expect(code).toBe(0)
    expect(asked.at(-1)?.body).toEqual({
      operations: [{ op: 'delete', id: '01JAAAAAAAAAAAAAAAAAAAAAAA', reason: 'żółw' }],
    })
  })
})

const event = (over: Partial<EventJson>): EventJson => ({
  position: 7,
  stream: 'task-00-x',
  revision: 0,
  id: 'e',
  type: 'TaskChanged',
  version: 1,
  at: '2026-11-24T11:58:00.000Z',
  namespace: 'default',
  actor: 'cli:ann',
  reason: null,
  correlationId: 'c',
  causationId: null,
  subject: { kind: 'task', id: 'x', name: 'x' },
  text: '',
  changes: [],
  data: {},
  ...over,
})

describe('tasks history', () => {
  it('tells who, when, why and what changed, leaf by leaf', async () => {
    const events = [
      event({
        type: 'TaskCreated',
        changes: [{ path: 'name', after: 'x' }],
      }),
      event({
        revision: 1,
        reason: 'too early',
        changes: [
          { path: 'schedule.crontab.hour', before: '2', after: '4' },
          { path: 'queue', before: null, after: 'backup' },
        ],
      }),
      event({ revision: 2, type: 'TaskDisabled', data: { cause: 'completed' } }),
      event({ revision: 3, undoes: 1, changes: [{ path: 'queue', before: 'backup', after: null }] }),
    ]
    const { out } = await almanac(['tasks', 'history', 'Daily backup at 2 AM'], (question) =>
      question.path.endsWith('/history') ? list(events) : onTasks(sampleTask())(question),
    )
    expect(out.split('\n')).toEqual([
      '2026-11-24 11:58:00Z  created by cli:ann  2 min ago  revision 0, position 7',
      '    name  x',
      '2026-11-24 11:58:00Z  changed by cli:ann  2 min ago  revision 1, position 7',
      '    “too early”',
      '    schedule.crontab.hour  2 → 4',
      '    queue                  none → backup',
      '2026-11-24 11:58:00Z  disabled, its runs are done by cli:ann  2 min ago  revision 2, position 7',
      '2026-11-24 11:58:00Z  undid revision 1: changed by cli:ann  2 min ago  revision 3, position 7',
      '    queue  backup → none',
      '',
    ])
  })
})

describe('tasks why', () => {
  it('gives each occurrence with its outcome and the reason in words', async () => {
    const base: OccurrenceJson = {
      at: '2026-11-24T02:00:00.000Z',
      local: '2026-11-24 02:00:00',
      outcome: 'emitted',
      reason: null,
      runId: 'r1',
      status: 'failed',
      count: 1,
      revision: 3,
    }
    const items = [
      base,
      { ...base, outcome: 'skipped', reason: 'overlap', runId: null, status: null, count: 4 },
    ]
    const { out, err, asked } = await almanac(
      ['tasks', 'why', 'Daily backup at 2 AM', '--from', '-7d'],
      (question) =>
        question.path.endsWith('/occurrences')
          ? { body: { items, total: 2, nextCursor: null, timezone: 'UTC', scheduleText: 'daily', notes: [] } }
          : onTasks(sampleTask())(question),
    )
    expect(out).toContain('emitted  the run is failed')
    expect(out).toContain('skipped  an earlier run was not finished (4 of them)')
    expect(err).toContain('1 run, 4 skipped')
    expect(asked.at(-1)?.query.get('from')).toBe('2026-11-17T12:00:00.000Z')
    expect(asked.at(-1)?.query.get('to')).toBe('2026-11-24T12:00:00.000Z')
  })
})

describe('serve', () => {
  it('hands its flags over as they are, also --help, and ends with the code of the server', async () => {
    const world = fakeWorld({ serveCode: 2 })
    expect(await run(world, ['serve', '--port', '0', '--data', '/tmp/x', '--help'])).toBe(2)
    expect(world.served).toEqual([['--port', '0', '--data', '/tmp/x', '--help']])
    expect(world.printed).toEqual({ out: '', err: '' })
  })
})

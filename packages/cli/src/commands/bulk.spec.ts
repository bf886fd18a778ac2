import { describe, expect, it } from 'vitest'
import { almanac, onTasks, problem } from '../../test-support/almanac.js'
import type { Asked } from '../../test-support/fake-server.js'
import { sampleTask } from '../../test-support/samples.js'

const preview = { total: 21, sample: [{ id: 'x', name: 'a' }], token: '7.abc', done: null }
const refusedTask = { name: 'b', problem: { code: 'not_found', detail: 'There is no task of this id here.' } }
const done = { succeeded: 20, failed: 1, correlationId: 'c-1', problems: [refusedTask] }

describe('tasks bulk', () => {
  it('shows what it would do, and does nothing', async () => {
    const { code, out, err, asked } = await almanac(
      ['tasks', 'bulk', 'disable', '-l', 'team=a', '--until', '+2h'],
      () => ({ body: preview }),
    )
    expect(code).toBe(0)
    expect(asked.map(({ body }) => body)).toEqual([
      { filter: { label: ['team=a'] }, op: 'disable', until: '2026-11-24T14:00:00.000Z' },
    ])
    expect(out).toBe('a\nand 20 more\n')
    expect(err).toContain('21 tasks would be changed by disable. Nothing was done: add --yes to do it.')
  })

  it('does it with --yes to the tasks of the preview, and says how to take it back', async () => {
    const { out, err, asked } = await almanac(
      ['tasks', 'bulk', 'patch', '--queue', 'q', '--set', '{"queue":"slow"}', '-y', '-r', 'ticket 7'],
      ({ body }) => ({ body: 'token' in Object(body) ? { ...preview, token: null, done } : preview }),
    )
    expect(asked.map(({ body }) => body)).toMatchObject([
      { filter: { queue: 'q' }, op: 'patch', changes: { queue: 'slow' }, reason: 'ticket 7' },
      { token: '7.abc' },
    ])
    expect(out).toBe('b: not_found There is no task of this id here.\npatch: 20 done, 1 refused\n')
    expect(err).toContain('almanac history undo c-1')
  })

  it.each([
    [['tasks', 'bulk', 'delete'], 'Which tasks?'],
    [['tasks', 'bulk', 'dleete', '--all'], 'is none of'],
    [['tasks', 'bulk', 'patch', '--all'], '--set is needed'],
    [['tasks', 'bulk', 'patch', '--all', '--set', '{'], '--set is not JSON'],
  ])('asks nothing when it is not told enough: %j', async (args, words) => {
    const { code, err, asked } = await almanac(args)
    expect([code, asked]).toEqual([2, []])
    expect(err).toContain(words)
  })
})

describe('import lines', () => {
  const files = { 'tasks.ndjson': '{"kind":"task"}\n{"kind":"tusk"}\n' }
  const counts = { lines: 2, created: 1, existing: 0, failed: 1 }

  it('sends the file as it is, tells each refused line with its number, and fails', async () => {
    const refused = {
      line: 2,
      kind: 'tusk',
      name: null,
      problem: { title: 't', errors: [{ path: 'kind', code: 'enum', message: 'must be one of task' }] },
    }
    const { code, out, err, asked } = await almanac(
      ['import', 'lines', 'tasks.ndjson', '--mode', 'ensure'],
      () => ({
        lines: [{ problem: refused }, { done: { ...counts, correlationId: 'c-1', position: 9 } }],
      }),
      { files },
    )
    expect(asked[0]).toMatchObject({ method: 'POST', path: '/v1/namespaces/default/import' })
    expect(asked[0]?.query.get('mode')).toBe('ensure')
    expect(asked[0]?.text).toBe(files['tasks.ndjson'])
    expect(err).toContain('tasks.ndjson:2: kind must be one of task')
    expect(out).toBe('1 created, 0 were there, 1 refused\n')
    expect(code).toBe(1)
  })

  it('says when the answer was cut off', async () => {
    const { code, err } = await almanac(
      ['import', 'lines', 'tasks.ndjson'],
      () => ({ lines: [{ progress: counts }] }),
      { files },
    )
    expect(code).not.toBe(0)
    expect(err).toContain('was cut off')
  })
})

describe('tasks backfill', () => {
  const task = sampleTask()
  const range = ['--from', '2026-11-20', '--until', '2026-11-22T00:00:00Z', '--max', '2', '--newest-first']

  it('shows what would run and what became of it, and does it with --yes', async () => {
    const items = [
      { at: '2026-11-21T02:00:00.000Z', outcome: 'skipped', reason: 'misfire', status: null },
      { at: '2026-11-20T02:00:00.000Z', outcome: null, reason: null, status: null },
    ]
    const shown = await almanac(['tasks', 'backfill', task.name, ...range], (question) =>
      question.path.endsWith('/backfill') ? { body: { total: 3, runs: 2, items } } : onTasks(task)(question),
    )
    expect(Object.fromEntries(shown.asked.at(-1)?.query ?? [])).toEqual({
      from: '2026-11-20T00:00:00.000Z',
      until: '2026-11-22T00:00:00.000Z',
      max: '2',
      order: 'newestFirst',
    })
    expect(shown.out).toMatch(/2026-11-21 02:00:00Z {2}skipped: misfire/)
    expect(shown.err).toContain('2 runs, 1 more are in the range. Nothing was done: add --yes to do it.')
    const done = await almanac(
      ['tasks', 'backfill', task.name, ...range, '-y', '-r', 'lost data'],
      (question) => (question.path.endsWith('/backfill') ? { body: task } : onTasks(task)(question)),
    )
    expect(done.asked.at(-1)).toMatchObject({
      method: 'POST',
      body: { max: 2, order: 'newestFirst', reason: 'lost data' },
    })
    expect(done.code).toBe(0)
  })

  const hour = 3_600_000
  /** Hourly occurrences, as the server tells them, and what was asked for. */
  const hourly = (runs: string[]) => (question: Asked) => {
    if (!question.path.endsWith('/backfill')) return onTasks(task)(question)
    if (question.method === 'POST') {
      const { from, until, max } = question.body as { from: string; until: string; max: number }
      runs.push(`${from.slice(5, 16)} to ${until.slice(5, 16)}, ${max}`)
      return { body: task }
    }
    const [from, until] = ['from', 'until'].map((key) => Date.parse(question.query.get(key) ?? ''))
    const all: number[] = []
    for (let at = Math.ceil((from ?? 0) / hour) * hour; at <= (until ?? 0); at += hour) all.push(at)
    if (question.query.get('order') === 'newestFirst') all.reverse()
    const items = all
      .slice(0, Number(question.query.get('max') ?? 100))
      .map((at) => ({ at: new Date(at).toISOString(), outcome: null, reason: null, status: null }))
    return { body: { total: all.length, runs: items.length, items } }
  }
  const day = ['--from', '2026-11-20', '--until', '2026-11-20T06:00:00Z']

  it('asks for the runs bit by bit at a rate, from either end', async () => {
    const [runs, slept]: [string[], number[]] = [[], []]
    const args = ['tasks', 'backfill', task.name, ...day, '--rate', '120', '-y']
    const done = await almanac(args, hourly(runs), { onSleep: (ms) => void slept.push(ms) })
    expect(done.out).toBe(`${task.name}: 7 runs asked for\n`)
    expect(runs).toEqual([
      '11-20T00:00 to 11-20T01:00, 2',
      '11-20T02:00 to 11-20T03:00, 2',
      '11-20T04:00 to 11-20T05:00, 2',
      '11-20T06:00 to 11-20T06:00, 2',
    ])
    expect(slept).toEqual([1_000, 1_000, 1_000])
    const back: string[] = []
    await almanac([...args, '--newest-first', '--max', '3'], hourly(back))
    expect(back).toEqual(['11-20T05:00 to 11-20T06:00, 2', '11-20T04:00 to 11-20T04:00, 1'])
    const shown = await almanac([...args.slice(0, -1), '--rate', '2'], hourly([]))
    expect(shown.err).toContain('7 runs in about 4 min. Nothing was done: add --yes to do it.')
    const wrong = await almanac([...args, '--rate', '0'], hourly([]))
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('--rate must be a whole number')])
  })

  it('tells where to go on when it is stopped, or the server goes away', async () => {
    const runs: string[] = []
    const args = ['tasks', 'backfill', task.name, ...day, '--rate', '60', '-y']
    let left = 2
    const stopped = await almanac(args, hourly(runs), {
      onSleep: (_, end) => (--left === 0 ? end() : undefined),
    })
    expect([stopped.code, runs.length]).toEqual([130, 2])
    const resume =
      '2 runs asked for. To go on: --from 2026-11-20T01:00:00.001Z --until 2026-11-20T06:00:00.000Z'
    expect(stopped.err).toContain(resume)
    const answer = hourly([])
    let posts = 0
    const failed = await almanac(args, (question) => {
      if (question.method === 'POST') posts += 1
      return posts > 2 ? problem(503, 'unavailable', 'The log is away.') : answer(question)
    })
    expect([failed.code, failed.err]).toEqual([3, expect.stringContaining(resume)])
  })
})

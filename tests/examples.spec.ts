import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { almanac, eventually, type Running, root, start, startServer } from './server-process.js'

const fixture = `${root}packages/cli/fixtures/django-celery-beat.fixture.json`
const folder = mkdtempSync(join(tmpdir(), 'almanac-examples-'))
const data = join(folder, 'data')
let server: Running & { readonly url: string }

beforeAll(async () => {
  server = await startServer(data)
}, 90_000)

afterAll(async () => {
  server?.process.kill('SIGKILL')
  await server?.ended
  rmSync(folder, { recursive: true, force: true })
})

interface Run {
  readonly runId: string
  readonly status: string
  readonly attempt: number
}

const post = async (path: string, body: unknown) => {
  const response = await fetch(`${server.url}/v1/namespaces/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as { readonly runs?: readonly unknown[] } }
}
const runsOf = async (namespace: string, ...filters: string[]): Promise<readonly Run[]> =>
  JSON.parse(
    (await almanac(server.url, 'runs', 'list', '-n', namespace, '--all', '--json', ...filters)).output,
  ).items

const worker = (namespace: string, state: string, ...args: string[]) =>
  start(`${root}examples/worker.mjs`, [
    '--url',
    server.url,
    '--namespace',
    namespace,
    '--state',
    state,
    ...args,
  ])
const idsIn = (file: string) => readFileSync(file, 'utf8').trim().split('\n')
const endWorker = async (running: Running) => {
  running.process.kill('SIGINT')
  return running.ended
}

describe('examples/first-task.mjs', () => {
  it('does every step, and can be run again', async () => {
    for (const repeated of [false, true]) {
      const run = start(`${root}examples/first-task.mjs`, [], { ALMANAC_URL: server.url })
      expect(await run.ended).toBe(0)
      const output = run.output()
      expect(output.includes('of an earlier run')).toBe(repeated)
      for (const expected of [
        'interval: 201 "Process queue every 30 minutes", every 30 minutes',
        'second: 200 "Hourly cleanup"',
        'the same name again: 409 name_taken',
        'a wrong task: 422 invalid',
        'schedule.crontab.hour: ',
        'a task that is not there: 404 not_found',
        'changed: 200 "Daily backup at 2 AM", At 02:30 AM UTC',
        'with what was read before: 412 revision_mismatch',
        'disabled: enabled false, because "maintenance window"',
        '4 changed, 0 not',
        'TaskChanged by first-task example (the database is busy at 2) schedule',
      ]) {
        expect(output).toContain(expected)
      }
    }
  })
})

describe('the fixture of the real library', () => {
  it('is imported, runs, and is completed by the example worker', async () => {
    const first = await almanac(server.url, 'import', 'celery', fixture, '--json')
    expect(first.code).toBe(0)
    const second = await almanac(server.url, 'import', 'celery', fixture, '--json')
    expect(JSON.parse(second.output).totals).toMatchObject({ tasks: 15, exists: 15 })

    const state = join(folder, 'fixture.log')
    const running = worker('default', state)
    const wanted = ['One-time data migration', 'Half second', 'Complex task', 'Custom routing task']
    for (const name of wanted) await running.says(new RegExp(`= \\S+ "${name}" done`))
    const done = await eventually(
      () => runsOf('default', '--status', 'succeeded'),
      (runs) => idsIn(state).every((id) => runs.some(({ runId }) => runId === id)),
    )
    expect(done.length).toBeGreaterThanOrEqual(wanted.length)
    expect(await endWorker(running)).toBe(0)
    expect(running.output()).toMatch(/finishing what has begun[\s\S]*ended/)
    expect(new Set(idsIn(state)).size).toBe(idsIn(state).length)

    const shown = await almanac(server.url, 'tasks', 'show', 'Half second', '--json')
    // 42 came along with the fixture.
    expect(JSON.parse(shown.output).totalRunCount).toBeGreaterThan(42)
    const oneOff = await almanac(server.url, 'tasks', 'history', 'One-time data migration')
    expect(oneOff.output).toMatch(/created by cli:.*[\s\S]*disabled, its runs are done/)
  }, 120_000)
})

const oneRun = async (namespace: string, task: string, args: readonly unknown[] = []) => {
  const at = new Date(Date.now() - 1000).toISOString()
  const created = await post(`${namespace}/tasks`, {
    name: `one ${task}`,
    task,
    args,
    schedule: { clocked: { at } },
    oneOff: true,
  })
  expect(created.status).toBe(201)
  const [run] = await eventually(
    () => runsOf(namespace),
    (runs) => runs.length > 0,
  )
  return run?.runId ?? ''
}

describe('examples/worker.mjs', () => {
  it('tells when a run comes twice, and does it once', async () => {
    const runId = await oneRun('twice', 'demo.print')
    const taken = await post('twice/queues/default/lease', { max: 1, leaseSeconds: 1, worker: 'died' })
    expect(taken.body.runs).toHaveLength(1)
    // As if the worker had done it, and died before it could say so.
    const state = join(folder, 'twice.log')
    writeFileSync(state, `${runId}\n`)
    const running = worker('twice', state)
    await running.says(/came twice \(attempt 2\)/)
    await eventually(
      () => runsOf('twice'),
      ([run]) => run?.status === 'succeeded',
    )
    expect(await endWorker(running)).toBe(0)
    expect(running.output()).not.toContain('demo.print(')
    expect(idsIn(state)).toEqual([runId])
  })

  it('holds a run that takes longer than its lease by heartbeats', async () => {
    await oneRun('long', 'demo.long', [4])
    const running = worker('long', join(folder, 'long.log'), '--lease', '2')
    await running.says(/= \S+ "one demo.long" done/)
    expect(await endWorker(running)).toBe(0)
    const [run] = await runsOf('long')
    expect(run).toMatchObject({ status: 'succeeded', attempt: 1 })
  })

  it('reports a failure with its reason', async () => {
    const runId = await oneRun('failing', 'demo.fail')
    const running = worker('failing', join(folder, 'failing.log'))
    await running.says(/x \S+ "one demo.fail" failed/)
    await eventually(
      () => runsOf('failing'),
      ([run]) => run?.status === 'failed',
    )
    expect(await endWorker(running)).toBe(0)
    const shown = await almanac(server.url, 'runs', 'show', runId, '-n', 'failing')
    expect(shown.output).toMatch(/error +this one always fails/)
  })

  it('goes on when the server is killed and started again, and does no run twice', async () => {
    const schedule = { interval: { every: 250000, period: 'microseconds' } }
    await post('killed/tasks', { name: 'often', task: 'demo.print', schedule })
    const state = join(folder, 'killed.log')
    const running = worker('killed', state)
    await running.says(/"often" done/)

    const port = Number(new URL(server.url).port)
    server.process.kill('SIGKILL')
    await server.ended
    await running.says(/server away/)
    const before = idsIn(state).length
    server = await startServer(data, port)
    await running.says(/server is back/)
    await eventually(
      async () => idsIn(state).length,
      (count) => count > before + 4,
    )
    await almanac(
      server.url,
      'tasks',
      'disable',
      'often',
      '-n',
      'killed',
      '--reason',
      'the test has seen enough',
    )
    const left = await eventually(
      () => runsOf('killed'),
      (runs) => runs.every(({ status }) => status === 'succeeded'),
    )
    expect(await endWorker(running)).toBe(0)
    expect(idsIn(state).sort()).toEqual(left.map(({ runId }) => runId).sort())
    expect(running.output()).not.toContain('failed')
  }, 120_000)
})

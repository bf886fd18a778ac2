import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { almanac, type Running, startServer } from './server-process.js'

const folder = mkdtempSync(join(tmpdir(), 'almanac-command-'))
const data = join(folder, 'data')
let server: Running & { readonly url: string }

beforeAll(async () => {
  server = await startServer(data)
}, 90_000)

afterAll(async () => {
  server?.process.kill('SIGINT')
  await server?.ended
  rmSync(folder, { recursive: true, force: true })
})

const succeed = async (...args: string[]) => {
  const { code, output } = await almanac(server.url, ...args)
  expect(output).not.toMatch(/^error/m)
  expect(code).toBe(0)
  return output
}
const positionOf = async () => {
  const response = await fetch(`${server.url}/v1/namespaces/default/changes/last`)
  return ((await response.json()) as { position: number }).position
}

it('takes a task through its life, and tells of it afterwards', async () => {
  const schedule = ['--schedule', '0 2 * * *', '-z', 'Europe/Warsaw']
  await succeed('schedules', 'create', '--name', 'nightly', ...schedule)
  expect(await succeed('schedules', 'list')).toContain('At 02:00 AM Europe/Warsaw')

  const create = [
    'tasks',
    'create',
    '--name',
    'żółw 🎉',
    '--task',
    'app.run',
    '--schedule',
    '{"ref":"nightly"}',
  ]
  expect(await succeed(...create, '-l', 'team=a', '--reason', 'to try it')).toContain('created')
  const created = await positionOf()
  expect(await succeed(...create, '--if-missing')).toContain('exists already, left as it is')
  expect((await almanac(server.url, ...create)).code).toBe(1)

  expect(await succeed('tasks', 'disable', 'żółw 🎉', '--reason', 'na później')).toBe('żółw 🎉: disabled\n')
  expect(await succeed('tasks', 'list', '--disabled', '-l', 'team=a')).toMatch(/żółw 🎉 +disabled/)
  expect(await succeed('tasks', 'list', '--as-of', String(created))).toMatch(/żółw 🎉 +enabled/)
  expect(await succeed('tasks', 'list', '--as-of', '-1d')).toContain('No tasks.')
  expect(await succeed('tasks', 'list', '-k', 'ref', '-q', 'ÓŁW')).toContain('1 task')

  expect(await succeed('tasks', 'enable', 'żółw 🎉')).toMatch(/enabled, next run .*Z, in \d+ (h|min)/)
  expect(await succeed('tasks', 'trigger', 'żółw 🎉')).toMatch(/triggered, run [0-9a-f]{32}/)
  expect(await succeed('tasks', 'next', 'żółw 🎉', '-c', '3')).toContain('LOCAL (Europe/Warsaw)')
  expect(await succeed('tasks', 'why', 'żółw 🎉', '--from', '-7d')).toMatch(/emitted +the run is queued/)
  expect(await succeed('tasks', 'why', 'żółw 🎉', '--to', '-1h')).toContain('No occurrence from')
  const shown = await succeed('tasks', 'show', 'żółw 🎉')
  expect(shown).toMatch(/labels +\{"team":"a"\}/)

  const used = await almanac(server.url, 'schedules', 'delete', 'nightly')
  expect(used.code).toBe(1)
  expect(await succeed('schedules', 'delete', 'nightly', '--cascade')).toBe('nightly: deleted with 1 task\n')
  const id = /id +(\S{26})/.exec(shown)?.[1] ?? ''
  const history = await succeed('tasks', 'history', id)
  expect(history.match(/^\d{4}.*Z {2}.*? by/gm)?.map((line) => line.replace(/^.*?Z {2}/, ''))).toEqual([
    'created by',
    'disabled by',
    'enabled by',
    'triggered by',
    'deleted with its shared schedule by',
  ])
  expect(history).toContain('“to try it”')
  expect(history).toContain('“na później”')
}, 120_000)

it('examines the server and its data folder', async () => {
  const { findings } = JSON.parse(await succeed('doctor', '--data', data, '--json'))
  expect(findings.filter(({ verdict }: { verdict: string }) => verdict !== 'ok')).toEqual([])
  expect(findings.map(({ what }: { what: string }) => what)).toContain('head')
}, 60_000)

it('shows why a past occurrence ran, and its run', async () => {
  const schedule = '{"interval":{"every":100000,"period":"microseconds"}}'
  await succeed(
    'tasks',
    'create',
    '--name',
    'often',
    '--task',
    'app.run',
    '--schedule',
    schedule,
    '--max-runs',
    '3',
  )
  const why = await succeed('tasks', 'why', 'often', '--from', '-1min')
  expect(why).toMatch(/emitted +the run is queued/)
  const runs = JSON.parse(await succeed('runs', 'list', '--task', 'often', '--json'))
  expect(runs.items.length).toBeGreaterThan(0)
  expect(await succeed('runs', 'show', runs.items[0].runId)).toMatch(/status +queued/)
}, 60_000)

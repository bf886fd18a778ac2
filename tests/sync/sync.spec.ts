import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Running, root, start, startServer } from '../server-process.js'

// Schedules in files, with the command as it is started and a real server.

const folder = mkdtempSync(join(tmpdir(), 'almanac-sync-'))
const files = join(folder, 'files')
const cli = join(root, 'packages/cli/bin/almanac.js')
let server: Running & { readonly url: string }
let nth = 0
let namespace = ''

beforeAll(async () => {
  server = await startServer(join(folder, 'data'))
}, 90_000)
afterAll(async () => {
  server?.process.kill('SIGKILL')
  await server?.ended
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  nth += 1
  namespace = `sync-${nth}`
  rmSync(files, { recursive: true, force: true })
  mkdirSync(files)
})

const write = (text: string, name = 'a.yaml') => writeFileSync(join(files, name), text)
const almanac = async (...args: readonly string[]) => {
  const run = start(cli, [...args, '-n', namespace, '--url', server.url], { NO_COLOR: '1' })
  return { code: await run.ended, output: run.output() }
}
const sync = (verb: 'plan' | 'apply', ...args: readonly string[]) => almanac(verb, '-f', files, ...args)
const ask = async (method: string, path: string, body?: object) => {
  const answer = await fetch(`${server.url}/v1/namespaces/${namespace}${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'almanac-actor': 'ann' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return text === '' ? undefined : JSON.parse(text)
}
const task = (name: string) => ask('GET', `/tasks/by-name/${encodeURIComponent(name)}`)
const nightly = '{ crontab: { expression: "0 2 * * *", timezone: UTC } }'

describe('a set of files', () => {
  it('is shown, done, and then there is nothing to do', { timeout: 60_000 }, async () => {
    write(readFileSync(join(root, 'examples/sync/payments.yaml'), 'utf8'))
    // Three days, since one of 25 hours may have no 02:30 within 24.
    const plan = await sync('plan', '--check', '--horizon', '+3d')
    expect(plan.output).toContain('set payments: 4 to create, 0 to change, 0 to delete, 0 unchanged')
    expect(plan.output).toMatch(/\+ task archive payments {2}.*a\.yaml:25/)
    expect(plan.output).toMatch(/next 3d: \d runs, first/)
    expect(plan.code).toBe(4)
    expect((await ask('GET', '/tasks')).total).toBe(0)
    const applied = await sync('apply', '-r', 'release 7')
    expect([applied.code, applied.output]).toEqual([0, expect.stringContaining('4 of 4 done.')])
    expect(await task('settle payments')).toMatchObject({
      queue: 'payments',
      labels: { team: 'payments', 'almanac/set': 'payments' },
    })
    const { id } = await task('archive payments')
    const [created] = (await ask('GET', `/tasks/${id}/history`)).items
    expect(created.reason).toBe('sync payments: release 7')
    const again = await sync('plan', '--check')
    expect([again.code, again.output]).toEqual([
      0,
      expect.stringContaining('0 to change, 0 to delete, 4 unchanged'),
    ])
  })

  it('owns the fields that it has, and leaves those of others', { timeout: 60_000 }, async () => {
    write(`set: ops\ntasks:\n  - { name: a, task: x, schedule: ${nightly}, queue: q, labels: { team: a } }\n`)
    await sync('apply')
    const { id } = await task('a')
    await ask('POST', `/tasks/${id}/disable`, { reason: 'incident 42' })
    await ask('PATCH', `/tasks/${id}`, { priority: 9, labels: { pager: 'on' } })
    expect((await sync('plan', '--check')).code).toBe(0)
    await ask('PATCH', `/tasks/${id}`, { queue: 'slow' })
    const drifted = await sync('plan', '--check')
    expect(drifted.output).toMatch(/queue {2}slow → q {2}drift: ann/)
    expect(drifted.code).toBe(4)
    expect((await sync('plan', '--check', '--keep-drift')).code).toBe(0)
    await sync('apply')
    expect(await task('a')).toMatchObject({
      queue: 'q',
      enabled: false,
      priority: 9,
      labels: { pager: 'on', team: 'a' },
    })
    // What the files have no longer goes back to its default; what they never had stays.
    write(`set: ops\ntasks:\n  - { name: a, task: x, schedule: ${nightly} }\n`)
    await sync('apply')
    const { queue, priority, labels } = await task('a')
    expect([queue, priority, Object.keys(labels)]).toEqual([null, 9, ['pager', 'almanac/set']])
  })

  it('deletes what it made, when told so, and what refers to a thing before it', {
    timeout: 60_000,
  }, async () => {
    write(
      `set: ops\nschedules:\n  - { name: s, schedule: ${nightly} }\n` +
        'tasks:\n  - { name: a, task: x, schedule: { ref: s } }\n',
    )
    await sync('apply')
    await ask('POST', '/tasks', {
      name: 'theirs',
      task: 'x',
      schedule: { interval: { every: 1, period: 'days' } },
    })
    write('set: ops\n')
    const kept = await sync('apply')
    expect(kept.output).toContain('task a is in no file: --prune deletes it')
    expect((await task('a')).name).toBe('a')
    const careful = await sync('apply', '--prune', '--max-delete', '1')
    expect([careful.code, careful.output]).toEqual([
      1,
      expect.stringMatching(/2 would be deleted, and --max-delete is 1[\s\S]*task a.* is in no file/),
    ])
    expect((await task('a')).name).toBe('a')
    const pruned = await sync('apply', '--prune', '--max-delete', '2')
    expect([pruned.code, pruned.output]).toEqual([0, expect.stringContaining('2 of 2 done.')])
    expect((await ask('GET', '/tasks')).items.map(({ name }: { name: string }) => name)).toEqual(['theirs'])
    expect((await ask('GET', '/schedules')).total).toBe(0)
  })

  it('takes over what is there only when told so, and nothing of another set', {
    timeout: 60_000,
  }, async () => {
    await ask('POST', '/tasks', {
      name: 'a',
      task: 'x',
      schedule: { interval: { every: 1, period: 'days' } },
      priority: 5,
    })
    write(`set: ops\ntasks:\n  a: { task: x, schedule: ${nightly} }\n`)
    const refused = await sync('apply')
    expect([refused.code, refused.output]).toEqual([
      1,
      expect.stringMatching(/a\.yaml:3.*of no set: --adopt/),
    ])
    const adopted = await sync('apply', '--adopt')
    expect(adopted.output).toContain('next 24h: 1 run → 1 run')
    expect(await task('a')).toMatchObject({ priority: 5, schedule: { crontab: { expression: '0 2 * * *' } } })
    write(`set: other\ntasks:\n  a: { task: x, schedule: ${nightly} }\n`)
    const foreign = await sync('apply', '--adopt')
    expect([foreign.code, foreign.output]).toEqual([1, expect.stringContaining('belongs to the set ops')])
  })
})

describe('two sets', () => {
  const scheduled = (set: string, hour: number) =>
    `set: ${set}\nschedules:\n  s: { schedule: { crontab: { hour: "${hour}", minute: "0" } } }\n`

  it('do not fight for a shared schedule, and leave one of people alone', { timeout: 60_000 }, async () => {
    write(scheduled('ops', 2))
    await sync('apply')
    const [made] = (await ask('GET', '/schedules')).items
    await ask('PATCH', `/schedules/${made.id}`, { description: 'Ask ann first.' })
    write(scheduled('shop', 3))
    const foreign = await sync('apply', '--adopt')
    expect([foreign.code, foreign.output]).toEqual([
      1,
      expect.stringMatching(/a\.yaml:3.*schedule "s" belongs to the set ops/),
    ])
    write(scheduled('ops', 4))
    await ask('PATCH', `/schedules/${made.id}`, { schedule: { crontab: { hour: '5' } } })
    const drifted = await sync('apply')
    expect([drifted.code, drifted.output]).toEqual([0, expect.stringMatching(/ {4}schedule .*drift: ann/)])
    const [kept] = (await ask('GET', '/schedules')).items
    expect(kept).toMatchObject({
      schedule: { crontab: { hour: '4', minute: '0' } },
      description: 'Ask ann first.',
    })
  })

  it('take over a schedule of people only when told so', { timeout: 60_000 }, async () => {
    await ask('POST', '/schedules', { name: 's', schedule: { crontab: { hour: '1' } } })
    write(scheduled('ops', 2))
    const refused = await sync('apply')
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining('of no set: --adopt')])
    expect((await sync('apply', '--adopt')).code).toBe(0)
    write(scheduled('ops', 3))
    expect((await sync('apply')).code).toBe(0)
    expect((await ask('GET', '/schedules')).items[0].schedule).toEqual({
      crontab: { hour: '3', minute: '0' },
    })
  })
})

it('a field that the set owns is put back when on-call changes it', { timeout: 60_000 }, async () => {
  write(`set: ops\ntasks:\n  a: { task: x, schedule: ${nightly}, enabled: true, labels: { team: a } }\n`)
  await sync('apply')
  const { id } = await task('a')
  await ask('POST', `/tasks/${id}/disable`, { reason: 'incident 42' })
  await ask('PATCH', `/tasks/${id}`, { labels: { team: 'b' } })
  const { code, output } = await sync('plan', '--check')
  expect(code).toBe(4)
  expect(output).toMatch(/enabled {2}false → true {2}drift: ann, .*\(incident 42\)/)
  expect(output).toMatch(/labels\.team {2}b → a {2}drift: ann/)
  await sync('apply')
  expect(await task('a')).toMatchObject({ enabled: true, labels: { team: 'a' } })
})

describe('files that are wrong', () => {
  it.each([
    ['set: ops\ntasks:\n  - name: a\n    taks: x\n', /a\.yaml:4.*taks/],
    [
      `set: ops\ntasks:\n  - { name: a, task: x,\n      schedule: { crontab: { expression: "0 25 * * *" } } }\n`,
      /a\.yaml:4.*schedule/,
    ],
    [`set: ops\ntasks:\n${`  - { name: a, task: x, schedule: ${nightly} }\n`.repeat(2)}`, /a\.yaml:4.*twice/],
    [`set: ops\ntasks:\n  - { name: a, task: x, schedule: ${nightly}, expires: 5 }\n`, /a\.yaml:3.*expires/],
    ['set: ops\ntasks:\n  a:\n  - b\n   c\n', /a\.yaml:\d/],
    ['tasks: []\n', /set {2}is in no file/],
    ['set: OPS\n', /a\.yaml:1.*set must be/],
    ['set: ops\ntask: []\n', /a\.yaml:2.*did you mean tasks/],
    ['[]', /a\.yaml:1.*must be a mapping/],
  ])('are told with file and line: %j', { timeout: 30_000 }, async (text, words) => {
    write(text)
    const { code, output } = await sync('apply')
    expect([code, output]).toEqual([1, expect.stringMatching(words)])
    expect((await ask('GET', '/tasks')).total).toBe(0)
  })
})

it('the schema for editors is that of the command (UPDATE_DOCS=1 writes it)', {
  timeout: 30_000,
}, async () => {
  const place = join(root, 'docs/reference/sync.schema.json')
  const { output } = await almanac('plan', '--schema')
  if (process.env.UPDATE_DOCS === '1') writeFileSync(place, output)
  expect(readFileSync(place, 'utf8')).toBe(output)
})

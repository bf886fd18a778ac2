import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { almanac, list } from '../../test-support/almanac.js'
import type { Asked } from '../../test-support/fake-server.js'
import { sampleTask } from '../../test-support/samples.js'
import { widthOf } from '../output/text.js'
import { sparkline } from './print.js'

const minutely = { name: 'beat', task: 'app.beat', schedule: { interval: { every: 1, period: 'minutes' } } }
const nightly = {
  name: 'nightly report',
  task: 'app.report',
  schedule: { ref: 'night' },
  queue: 'reports',
}
const night = {
  name: 'night',
  schedule: { crontab: { expression: '30 2 * * *', timezone: 'Europe/Warsaw' } },
}
const files = {
  'list.json': JSON.stringify({ items: [sampleTask()], nextCursor: null, total: 1 }),
  'tasks.json': JSON.stringify({ tasks: [minutely, nightly], schedules: { items: [night], total: 1 } }),
  'array.json': JSON.stringify([minutely, { ...minutely, name: 'second' }]),
  'lines.jsonl': `${JSON.stringify(minutely)}\n\n${JSON.stringify({ ...minutely, name: 'second' })}\n`,
  'single.json': JSON.stringify(minutely, null, 2),
  'lost.json': JSON.stringify([nightly]),
  'broken.json': '{"tasks": [',
  'other.json': '{"answer": 42}',
  'empty.json': ' \n',
  'none.json': '[]',
  'storm.json': JSON.stringify([
    { ...minutely, name: 'storm', schedule: { interval: { every: 1000, period: 'microseconds' } } },
  ]),
  'beat.json': readFileSync(
    new URL('../../fixtures/django-celery-beat.fixture.json', import.meta.url),
    'utf8',
  ),
  'checks.txt': '# nights\nno run of "nightly report" between 03:00 and 04:00 Europe/Warsaw on mon-sat\n',
  'bad.txt': 'no run of beat between 2 and 3\nat most few runs in any 1s\n',
}
const day = ['--from', '2027-03-27', '--for', '1d']
const simulate = (
  args: readonly string[],
  answer?: (asked: Asked) => ReturnType<typeof list>,
  columns?: number,
) => almanac(['simulate', ...args], answer, columns === undefined ? { files } : { files, columns })
const json = async (...args: string[]) => JSON.parse((await simulate([...args, ...day, '--json'])).out)

describe('what is simulated', () => {
  it.each([
    ['list.json', 1, 1],
    ['tasks.json', 2, 1441],
    ['array.json', 2, 2880],
    ['lines.jsonl', 2, 2880],
    ['single.json', 1, 1440],
  ])('%s: %i tasks', async (file, tasks, runs) => {
    const printed = await json(file)
    expect(printed.tasks).toHaveLength(tasks)
    expect(printed.totals.runs).toBe(runs)
  })

  it('a fixture of django-celery-beat, without the rows that the import refuses', async () => {
    const printed = await json('beat.json')
    expect(printed.totals.runs).toBeGreaterThan(0)
    expect(printed.tasks.length).toBeGreaterThan(3)
    for (const { reason } of printed.leftOut) expect(reason).toMatch(/^disabled$|^the import refuses it: \S/)
  })

  it('without a file, what the server has; and what it has can be exported to a file', async () => {
    const server = ({ path }: Asked) => {
      if (path.endsWith('/tasks')) return list([{ ...sampleTask(), schedule: { ref: 'night' } }])
      return list(path.endsWith('/schedules') ? [{ ...night, id: 'x', scheduleText: 'at night' }] : [])
    }
    const { code, out, asked } = await simulate([...day, '-n', 'ops', '--json'], server)
    expect(code).toBe(0)
    expect(asked.map(({ path }) => path)).toEqual(
      ['tasks', 'schedules', 'calendars'].map((part) => `/v1/namespaces/ops/${part}`),
    )
    const exported = await almanac(['tasks', 'export'], server)
    const again = await almanac(['simulate', 'e.json', ...day, '--json'], undefined, {
      files: { 'e.json': exported.out },
    })
    expect(again.err).toBe('')
    expect(JSON.parse(again.out)).toEqual(JSON.parse(out))
    expect(JSON.parse(out).totals.runs).toBe(1)
  })

  it.each([
    ['lost.json', 1, /there is no shared schedule named "night"[\s\S]*tasks export/],
    ['broken.json', 1, /broken\.json is not JSON/],
    ['other.json', 1, /other\.json has no tasks[\s\S]*tasks export/],
    ['empty.json', 1, /empty\.json is empty/],
    ['none.json', 1, /no tasks to simulate/],
    ['missing.json', 1, /There is no file missing\.json/],
    ['storm.json', 0, /^$/],
  ])('%s ends with %i', async (file, code, message) => {
    const result = await simulate([file, '--from', '2027-03-27', '--for', '1s'])
    if (code === 1) expect(result.err).toMatch(message)
    expect(result.code).toBe(code)
  })

  it('nobody waits for thirty thousand million runs', async () => {
    const { code, err } = await simulate(['storm.json'])
    expect(code).toBe(1)
    expect(err).toContain('about 31,536,000,000 runs')
    expect(err).toContain('"storm"')
  })
})

describe('checks', () => {
  it('that hold end with 0, one that does not ends with 1 and says where', async () => {
    const holds = await simulate([
      'tasks.json',
      ...day,
      '--assert-file',
      'checks.txt',
      '--assert',
      'no run of beat skipped',
    ])
    expect(holds.out).toContain('holds   no run of beat skipped')
    expect(holds.code).toBe(0)
    const fails = await simulate([
      'tasks.json',
      ...day,
      '--assert',
      'no run of nightly* between 02:00 and 03:00 Europe/Warsaw',
      '--assert',
      'at most 2 runs in any 1min',
    ])
    expect(fails.code).toBe(1)
    expect(fails.out).toContain('broken  no run of nightly* between 02:00 and 03:00 Europe/Warsaw')
    expect(fails.out).toContain('Sat 2027-03-27 02:30:00 +01:00  "nightly report" ran')
    expect(fails.out).toContain('holds   at most 2 runs in any 1min')
  })

  it('that cannot be read are all told of, with line and column', async () => {
    const { code, err } = await simulate([
      'tasks.json',
      ...day,
      '--assert',
      'never',
      '--assert-file',
      'bad.txt',
    ])
    expect(code).toBe(2)
    expect(err).toContain("--assert 'never':1")
    expect(err).toMatch(/bad\.txt:1:24 +"2" is no time of the day/)
    expect(err).toMatch(/bad\.txt:2:9 +expected a whole number/)
  })
})

const document = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')

it('prints what the guide shows', async () => {
  const guide = document('docs/guides/simulate.md')
  const [, command = ''] = /^almanac simulate (examples\/[\s\S]*?)^```/m.exec(guide) ?? []
  const args = command.replaceAll('\\\n', ' ').trim().split(/\s+/)
  const names = ['examples/shop.json', 'examples/shop-checks.txt']
  const { code, out, written } = await almanac(['simulate', ...args], undefined, {
    files: Object.fromEntries(names.map((name) => [name, document(name)])),
  })
  expect(guide).toContain(`\`\`\`\n${out}\`\`\``)
  expect(code).toBe(1)
  expect([...written.keys()]).toEqual(['load.html'])
})

describe('options', () => {
  it.each([
    [['--nodes', '0'], '--nodes must be a whole number from 1 to 64'],
    [['--seed', 'x'], '--seed must be'],
    [['--for', 'long'], '--for "long" is no duration'],
    [['--to', '2027-03-01'], '--to must be later than --from'],
    [['--for', '101y'], 'At most 100 years'],
    [['-z', 'Mars/Base'], '--timezone "Mars/Base" is not a time zone'],
    [['--by', 'colour'], '--by must be node or queue'],
    [['--run-seconds', '-1'], '--run-seconds must be a number'],
    [['--down', 'node-9@2027-03-27T01:00:00Z/1h'], '"node-9" is no node'],
  ])('%j: %s', async (args, message) => {
    const { code, err } = await simulate(['tasks.json', '--from', '2027-03-27', ...args])
    expect(code).toBe(2)
    expect(err).toContain(message)
  })

  it('draw outages from the seed, and take those that are given', async () => {
    const storm = [
      'tasks.json',
      ...day,
      '--outages',
      '4',
      '--down',
      'all@2027-03-27T12:00:30Z/10min',
      '--json',
    ]
    const [one, again, other] = await Promise.all(
      ['1', '1', '2'].map(async (seed) => JSON.parse((await simulate([...storm, '--seed', seed])).out)),
    )
    expect(again).toEqual(one)
    expect(other.digest).not.toBe(one.digest)
    expect(one.outages).toHaveLength(5)
    expect(one.outages).toContainEqual(
      expect.objectContaining({ node: null, from: '2027-03-27T12:00:30.000Z', partitions: 64 }),
    )
  })
})

describe('what is printed', () => {
  it.each([80, 120, 200])('fits a terminal of %i columns', async (columns) => {
    const { out } = await simulate(
      ['tasks.json', ...day, '-z', 'Europe/Warsaw', '--outages', '3', '--assert', 'no run of beat on sat'],
      undefined,
      columns,
    )
    for (const line of out.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns)
    expect(out).toContain('busiest second')
    expect(out).toContain('node-3')
    expect(out).toMatch(/digest +[0-9a-f]{16}/)
  })

  it('and the page, when one is asked for', async () => {
    const { written, err } = await simulate(['tasks.json', ...day, '--page', 'load.html', '--by', 'node'])
    expect(written.get('load.html')).toMatch(
      /^<!doctype html>[\s\S]*Runs per 5 min, by node[\s\S]*<\/html>\n$/,
    )
    expect(err).toContain('The page is in load.html')
  })

  it('draws the load in one line', () => {
    expect(sparkline([0, 1, 4, 8], 10)).toBe(' ▁▄█')
    expect(sparkline([1, 1, 8, 0, 4, 4], 3)).toBe('▁█▄')
    expect(sparkline([0, 0], 5)).toBe('  ')
  })
})

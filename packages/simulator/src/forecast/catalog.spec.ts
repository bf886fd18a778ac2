import { describe, expect, it } from 'vitest'
import { type RawCatalog, readCatalog } from './catalog.js'
import { busiestTasks, expectedRuns } from './forecast.js'
import { at, crontab, everyMinute, play, posted, settings } from './forecast.spec-support.js'

const from = at('2027-03-01T00:00:00Z')
const read = (tasks: readonly unknown[], rest: Partial<RawCatalog> = {}) =>
  readCatalog({ tasks, schedules: [], calendars: [], ...rest }, from)
const problems = (tasks: readonly unknown[], rest: Partial<RawCatalog> = {}) => {
  const result = read(tasks, rest)
  return result.ok ? [] : result.error.map(({ path, message }) => `${path}: ${message}`)
}
const hour = settings('2027-03-01T00:00:00Z', '2027-03-01T01:00:00Z')

describe('reading tasks', () => {
  it('names the task and the field of each problem, all at once', () => {
    const found = problems([
      posted({ crontab: { expression: '99 * * * *' } }, { name: 'bad minute' }),
      5,
      posted(everyMinute, { name: 'late', startTime: 'tomorrow', jitterSeconds: -1 }),
      posted({ ref: 'nightly' }, { name: 'lost' }),
      posted(everyMinute, { name: 'twice' }),
      posted(everyMinute, { name: 'twice' }),
      { name: 'bare' },
    ])
    expect(found).toEqual([
      'tasks[0] "bad minute" schedule.crontab.expression: minute must be 0 to 59, not "99"',
      'tasks[1]: must be an object with name, task and schedule',
      expect.stringMatching(/^tasks\[2\] "late" startTime: must be ISO 8601/),
      expect.stringMatching(/^tasks\[2\] "late" jitterSeconds: /),
      'tasks[3] "lost" schedule.ref: there is no shared schedule named "nightly"',
      'tasks[5]: has the name "twice" of tasks[4]',
      'tasks[6] "bare" task: is required',
      'tasks[6] "bare" schedule: is required',
    ])
  })

  it('resolves shared schedules and calendars, and says what is wrong with those', () => {
    const shared = {
      schedules: [
        {
          id: 'x',
          name: 'workdays',
          scheduleText: 'shown only',
          schedule: { except: { base: crontab('0 9 * * *'), exclude: [{ calendar: { ref: 'free' } }] } },
        },
      ],
      calendars: [{ id: 'y', name: 'free', days: { weekdays: ['sat', 'sun'] } }],
    }
    const result = read([posted({ ref: 'workdays' })], shared)
    const definition = result.ok ? result.value.tasks[0]?.definition : undefined
    // The first of March 2027 is a Monday.
    expect(definition?.recurrence.count(from, from + 7 * 86_400_000)).toBe(5)
    expect(problems([], { schedules: [{ name: 'x', schedule: { crontab: { hour: '25' } } }] })[0]).toMatch(
      /^schedules\[0\] schedule\.crontab\.hour: /,
    )
    expect(problems([], { calendars: [{ name: 'x', days: { weekdays: ['sunday'] } }] })[0]).toMatch(
      /^calendars\[0\] days/,
    )
    expect(problems([posted({ ref: 'workdays' })], { schedules: shared.schedules })[0]).toContain('calendar')
  })

  it('leaves out what is disabled or quarantined, and tells why', () => {
    const result = read([
      posted(everyMinute, { enabled: false }),
      posted(everyMinute, { name: 'ill', quarantine: { code: 'x', message: 'cannot be planned' } }),
      posted(everyMinute, { name: 'well', quarantine: null }),
    ])
    expect(result.ok && result.value.tasks.map(({ name }) => name)).toEqual(['well'])
    expect(result.ok && result.value.leftOut).toEqual([
      { name: 'tick', reason: 'disabled' },
      { name: 'ill', reason: 'quarantined: cannot be planned' },
    ])
  })

  it('leaves out a listed one-off whose run comes before, and keeps one whose run comes in it', () => {
    const once = (nextRunAt: string | null, name: string) =>
      posted(everyMinute, { name, oneOff: true, nextRunAt })
    const result = read([
      once('2027-02-28T23:59:00.000Z', 'before'),
      once('2027-03-01T00:00:00.000Z', 'in it'),
      once(null, 'posted'),
      { ...once('2027-02-28T23:59:00.000Z', 'often'), oneOff: false },
    ])
    expect(result.ok && result.value.tasks.map(({ name }) => name)).toEqual(['in it', 'posted', 'often'])
    expect(result.ok && result.value.leftOut).toEqual([
      {
        name: 'before',
        reason: 'its only run, at 2027-02-28T23:59:00.000Z, comes before the time that is played',
      },
    ])
  })

  it.each([
    ['the start of the forecast', {}, 0],
    ['its creation', { createdAt: '2027-02-28T23:59:40Z' }, 40_000],
    [
      'the import',
      { createdAt: '2027-02-28T23:59:40Z', imported: { anchor: '2027-02-28T23:59:50Z' } },
      50_000,
    ],
    ['its start time', { createdAt: '2027-02-28T23:59:40Z', startTime: '2027-02-28T12:00:05Z' }, 5_000],
  ])('lays the grid of an interval from %s', (_where, rest, first) => {
    expect(play([posted(everyMinute, rest)], hour).tasks[0]?.first).toBe(from + first)
  })

  it('keeps the id of a listed task, which says its partition', () => {
    const listed = posted(everyMinute, { id: '01JAAAAAAAAAAAAAAAAAAAAAAA', namespace: 'ops', revision: 3 })
    const result = read([listed])
    expect(result.ok && result.value.tasks[0]?.definition).toMatchObject({
      taskId: '01JAAAAAAAAAAAAAAAAAAAAAAA',
      namespace: 'ops',
    })
  })
})

it('expects about as many runs as there will be, and knows which tasks make them', () => {
  const result = read([
    posted(everyMinute),
    posted(crontab('*/10 * * * *'), { name: 'ten', startTime: '2027-03-01T00:30:00Z' }),
    posted(everyMinute, { name: 'once', oneOff: true }),
  ])
  if (!result.ok) throw new Error('not read')
  expect(expectedRuns(result.value, hour)).toBe(60 + 3 + 1)
  expect(busiestTasks(result.value, hour, 2)).toEqual([
    { name: 'tick', runs: 60 },
    { name: 'ten', runs: 3 },
  ])
})

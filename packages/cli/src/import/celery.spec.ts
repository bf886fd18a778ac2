import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { planImport } from './celery.js'
import { type FixtureRow, readFixture } from './fixture.js'

const now = Date.parse('2026-11-24T12:00:00Z')
const real = readFileSync(new URL('../../fixtures/django-celery-beat.fixture.json', import.meta.url), 'utf8')

const interval = (pk: string, every: unknown = 30, period: unknown = 'minutes'): FixtureRow => ({
  model: 'django_celery_beat.intervalschedule',
  pk,
  fields: { every, period },
})
const crontab = (pk: string, fields: Record<string, unknown>): FixtureRow => ({
  model: 'django_celery_beat.crontabschedule',
  pk,
  fields: {
    minute: '0',
    hour: '2',
    day_of_month: '*',
    month_of_year: '*',
    day_of_week: '*',
    timezone: 'UTC',
    ...fields,
  },
})
const task = (pk: string, fields: Record<string, unknown> = {}): FixtureRow => ({
  model: 'django_celery_beat.periodictask',
  pk,
  fields: {
    name: `task ${pk}`,
    task: 'app.run',
    interval: 1,
    args: '[]',
    kwargs: '{}',
    headers: '{}',
    enabled: true,
    one_off: false,
    total_run_count: 0,
    last_run_at: null,
    date_changed: '2026-11-22T21:56:06.573Z',
    description: '',
    ...fields,
  },
})
const planOf = (...rows: FixtureRow[]) => planImport(rows, now)
const only = (fields: Record<string, unknown>, ...schedules: FixtureRow[]) => {
  const [planned] = planOf(...(schedules.length > 0 ? schedules : [interval('1')]), task('7', fields)).tasks
  if (!planned) throw new Error('no task was planned')
  return planned
}
const problems = (fields: Record<string, unknown>, ...schedules: FixtureRow[]) =>
  only(fields, ...schedules).findings.problems.map(({ path, code }) => `${path} ${code}`)
const notes = (fields: Record<string, unknown>, ...schedules: FixtureRow[]) =>
  only(fields, ...schedules).findings.notes.map(({ code }) => code)

describe('the fixture that the real library dumped', () => {
  const plan = planImport(readFixture(real), now)
  const bodyOf = (pk: string) => plan.tasks.find(({ row }) => row.pk === pk)?.body

  it('takes all 15 tasks, folds the 13 schedule rows, leaves the marker out', () => {
    expect(plan.tasks.map(({ body }) => body !== undefined)).toEqual(Array(15).fill(true))
    expect(plan.schedules).toHaveLength(13)
    expect(plan.schedules.every(({ value }) => value !== undefined)).toBe(true)
    expect(plan.ignored.map(({ row }) => row.model)).toEqual(['django_celery_beat.periodictasks'])
  })

  it('tells how many tasks use each schedule row', () => {
    const used = plan.schedules.map(({ column, row, usedBy }) => `${column} ${row.pk}: ${usedBy}`)
    expect(used).toContain('interval 3: 3')
    expect(used).toContain('clocked 1: 1')
    expect(plan.schedules.reduce((sum, { usedBy }) => sum + usedBy, 0)).toBe(15)
  })

  it('maps every field of a full row', () => {
    expect(bodyOf('2')).toEqual({
      name: 'Daily backup at 2 AM',
      task: 'myapp.tasks.backup_database',
      schedule: {
        crontab: {
          minute: '0',
          hour: '2',
          dayOfMonth: '*',
          monthOfYear: '*',
          dayOfWeek: '*',
          timezone: 'UTC',
        },
      },
      args: [],
      kwargs: {},
      headers: {},
      queue: 'backup_queue',
      exchange: null,
      routingKey: null,
      priority: null,
      expires: '2027-06-01T00:00:00.000Z',
      expireSeconds: null,
      oneOff: false,
      enabled: true,
      startTime: null,
      description: 'Automated daily database backup',
      imported: { lastRunAt: null, totalRunCount: 0, anchor: '2026-11-22T21:56:06.575Z' },
    })
  })

  it('keeps arguments, Unicode, nested headers, routing and history', () => {
    expect(bodyOf('13')?.args).toEqual(['żółw', '新年', '🎉'])
    expect(bodyOf('4')?.kwargs).toEqual({ param1: 'value1', param2: true, param3: { nested: 'dict' } })
    expect(bodyOf('4')?.headers).toEqual({ priority: 9, retry_policy: { max_retries: 3 } })
    expect(bodyOf('6')).toMatchObject({ exchange: 'custom_exchange', routingKey: 'custom.routing.key' })
    expect(bodyOf('11')?.schedule).toEqual({
      solar: { event: 'sunset', latitude: -37.81753, longitude: 144.96715 },
    })
    expect(bodyOf('9')?.enabled).toBe(false)
    expect(bodyOf('14')?.imported).toEqual({
      lastRunAt: '2026-11-01T12:00:00.000Z',
      totalRunCount: 42,
      anchor: '2026-11-01T12:00:00.000Z',
    })
  })
})

describe('rows that are refused, alone', () => {
  it.each([
    ['args that are not JSON', { args: '[1,' }, ['args not_json']],
    ['args that are an object', { args: '{"a": 1}' }, ['args not_a_list']],
    ['args that are a number', { args: '5' }, ['args not_a_list']],
    ['a number that cannot be kept', { args: '[9007199254740993]' }, ['args not_json']],
    ['Python-only JSON', { kwargs: '{"a": NaN}' }, ['kwargs not_json']],
    ['kwargs that are a list', { kwargs: '[]' }, ['kwargs not_an_object']],
    ['headers that are a list', { headers: '[]' }, ['headers not_an_object']],
    ['no schedule', { interval: null }, [' no_schedule']],
    ['a schedule row that is missing', { interval: 99 }, ['interval schedule_missing']],
    ['a queue that no broker could have', { queue: 'a b' }, ['queue bad_route']],
    [
      'an end before the start',
      { start_time: '2027-02-01T00:00:00Z', expires: '2027-01-01T00:00:00Z' },
      ['expires expires_before_start'],
    ],
    ['no name', { name: '  ' }, ['name required']],
    ['a name of 201 characters', { name: 'x'.repeat(201) }, ['name too_long']],
    ['priority 256', { priority: 256 }, ['priority out_of_range']],
    ['a date that does not exist', { start_time: '2026-02-30T00:00:00Z' }, ['start_time no_such_date']],
    [
      'both kinds of expiry, also with 0 seconds',
      { expires: '2027-01-01T00:00:00Z', expire_seconds: 0 },
      ['expires both_expiries', 'expire_seconds both_expiries'],
    ],
  ])('%s', (_, fields, expected) => {
    const planned = only(fields)
    expect(planned.findings.problems.map(({ path, code }) => `${path} ${code}`)).toEqual(expected)
    expect(planned.body).toBeUndefined()
  })

  it('names each schedule that is set when there are two', () => {
    expect(problems({ crontab: 1 }, interval('1'), crontab('1', {}))).toEqual([
      'interval several_schedules',
      'crontab several_schedules',
    ])
  })

  it('a clocked task that is not one-off', () => {
    const clocked = {
      model: 'django_celery_beat.clockedschedule',
      pk: '1',
      fields: { clocked_time: '2027-01-01T00:00:00Z' },
    }
    expect(problems({ interval: null, clocked: 1 }, clocked)).toEqual(['one_off clocked_one_off'])
    expect(problems({ interval: null, clocked: 1, one_off: true }, clocked)).toEqual([])
  })

  it('every task on a schedule row that cannot fire, naming the column', () => {
    const february = crontab('1', { day_of_month: '31', month_of_year: '2' })
    const [refusedTask] = problems({ interval: null, crontab: 1 }, february)
    expect(refusedTask).toMatch(/^crontab\..* never_fires$/)
    expect(problems({}, interval('1', 500, 'microseconds'))[0]).toMatch(/^interval\.every /)
    expect(problems({}, interval('1', 0))[0]).toMatch(/^interval\.every /)
    expect(problems({}, interval('1', 3, 'weeks'))[0]).toMatch(/^interval\.period /)
  })

  it('the second of two rows with one name, compared after normalisation', () => {
    const plan = planOf(interval('1'), task('1', { name: 'caf\u00e9' }), task('2', { name: 'cafe\u0301' }))
    expect(plan.tasks.map(({ body }) => body !== undefined)).toEqual([true, false])
    expect(plan.tasks[1]?.findings.problems[0]?.message).toBe('row 1 of the file has the same name')
  })

  it('leaves the other rows alone', () => {
    const plan = planOf(
      interval('1'),
      task('1', { args: 'x' }),
      task('2'),
      task('3', { interval: null }),
      task('4'),
    )
    expect(plan.tasks.map(({ body }) => body !== undefined)).toEqual([false, true, false, true])
  })
})

describe('rows that are taken with a note', () => {
  it.each([
    ['exchange without routing_key', { exchange: 'ex' }, ['exchange_alone']],
    ['routing_key without exchange', { routing_key: 'k' }, ['routing_key_alone']],
    [
      'reserved headers',
      { headers: '{"task": "x", "id": "y", "a": 1}' },
      ['reserved_header', 'reserved_header'],
    ],
    ['nested headers', { headers: '{"a": {"b": 1}}' }, ['nested_header']],
    ['typed JSON', { args: '[{"__type__": "datetime", "__value__": "2026-01-01"}]' }, ['typed_json']],
    ['expire_seconds 0', { expire_seconds: 0 }, ['no_expiry']],
    ['expires in the past', { expires: '2020-01-01T00:00:00Z' }, ['already_expired']],
    ['a time without offset', { start_time: '2027-01-01T00:00:00' }, ['naive_time']],
    ['history', { last_run_at: '2026-11-01T00:00:00Z', total_run_count: 3 }, ['history']],
    ['a one-off that has run', { one_off: true, total_run_count: 1 }, ['one_off_done', 'history']],
    ['a task of Celery itself', { name: 'celery.backend_cleanup' }, ['celery_internal']],
    ['headers that Almanac sets itself', { headers: '{"Almanac-Run": 1}' }, ['reserved_header']],
    ['nothing to tell', {}, []],
  ])('%s', (_, fields, expected) => {
    expect(notes(fields)).toEqual(expected)
    expect(only(fields).body).toBeDefined()
  })

  it('drops reserved headers and keeps the rest', () => {
    expect(only({ headers: '{"task": "x", "a": 1}' }).body?.headers).toEqual({ a: 1 })
  })

  it('takes day of week 7 as Sunday and tells that it will run now', () => {
    for (const day of ['7', '0-7', '5-7', '1,7', '07']) {
      expect(notes({ interval: null, crontab: 1 }, crontab('1', { day_of_week: day }))).toContain(
        'sunday_seven',
      )
    }
    for (const day of ['*', '0-6', 'mon', '*/7']) {
      expect(notes({ interval: null, crontab: 1 }, crontab('1', { day_of_week: day }))).toEqual([])
    }
  })

  it('tells that a clocked instant in the past runs at once, if the task is still to run', () => {
    const clocked = {
      model: 'django_celery_beat.clockedschedule',
      pk: '1',
      fields: { clocked_time: '2020-01-01T00:00:00Z' },
    }
    const fields = { interval: null, clocked: 1, one_off: true }
    expect(notes(fields, clocked)).toEqual(['clocked_past'])
    expect(notes({ ...fields, enabled: false }, clocked)).toEqual([])
    expect(notes({ ...fields, total_run_count: 1 }, clocked)).toEqual(['one_off_done', 'history'])
  })

  it('disables a one-off that has run, and leaves a disabled task disabled', () => {
    expect(only({ one_off: true, total_run_count: 1 }).body?.enabled).toBe(false)
    expect(only({ one_off: true, total_run_count: 0 }).body?.enabled).toBe(true)
    expect(only({ enabled: false }).body?.enabled).toBe(false)
  })

  it('takes blank texts as the original reads them', () => {
    const body = only({ args: '', kwargs: ' ', headers: null, queue: '', exchange: '', routing_key: '' }).body
    expect(body).toMatchObject({
      args: [],
      kwargs: {},
      headers: {},
      queue: null,
      exchange: null,
      routingKey: null,
    })
  })

  it('lays the interval grid from the last run, else from the last change', () => {
    expect(only({}).body?.imported?.anchor).toBe('2026-11-22T21:56:06.573Z')
    const ran = { last_run_at: '2026-11-01T12:00:00.123456Z', total_run_count: 2 }
    expect(only(ran).body?.imported?.anchor).toBe('2026-11-01T12:00:00.123Z')
  })
})

describe('the file', () => {
  it('reads jsonl and a byte order mark', () => {
    const lines = [interval('1'), task('1')].map((row) => JSON.stringify(row)).join('\n')
    expect(readFixture(lines)).toHaveLength(2)
    expect(readFixture(`\ufeff${real}`)).toHaveLength(29)
  })

  it.each([
    ['text', 'not json', /not JSON/],
    ['an object in the list', '[{"model": "x", "pk": 1}]', /Row 1 of the fixture \(x\) has no fields/],
    ['no pk', '[{"model": "x", "fields": {}}]', /Row 1 of the fixture \(x\) has no pk/],
    ['a number', '5', /not a list/],
  ])('refuses %s by row', (_, text, message) => {
    expect(() => readFixture(text)).toThrow(message)
  })

  it('tells of foreign tables and repeated schedule rows', () => {
    const plan = planOf(interval('1'), interval('1'), { model: 'auth.user', pk: '1', fields: {} }, task('1'))
    expect(plan.ignored.map(({ reason }) => reason)).toEqual([
      'another row of the file is interval 1 already',
      'not a table of django-celery-beat',
    ])
  })
})

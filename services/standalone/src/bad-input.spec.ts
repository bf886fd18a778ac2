import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestServer } from '../test-support/server.js'

/**
 * The rows of RELIABILITY.md section 7 that are rules of tasks, schedules and runs, asked over real HTTP of a real
 * server. Those of bodies, headers and paths are in services/api/src/bad-input.spec.ts, tokens (66) in the adapters'
 * jwt.spec.ts, rates (65) in services/api/src/access, messages of workers (69) in tests/cluster.
 */

const server = new TestServer()
beforeAll(() => server.start())
afterAll(() => server.remove())

const daily = { interval: { every: 1, period: 'days' } }
let count = 0
const create = (more: object) => {
  count += 1
  return server.post('/tasks', { name: `task ${count}`, task: 'a.b', schedule: daily, ...more })
}
const cron = (expression: string, more: object = {}) => ({ schedule: { crontab: { expression, ...more } } })
const preview = (schedule: object, more: object = {}) =>
  server.post('/schedules/preview', { schedule, from: '2026-01-01T00:00:00Z', count: 3, ...more })

/** Path and code of the first problem. */
const said = ({
  body,
}: {
  readonly body: { readonly errors?: readonly { path: string; code: string }[] }
}) => {
  const [first] = body.errors ?? []
  return first === undefined ? undefined : `${first.path} ${first.code}`
}

describe('names', () => {
  it.each(['a\u0000b', 'a\u0007b', 'a\u0085b', 'a\nb'])('19: control characters in %j', async (name) => {
    expect((await create({ name })).status).toBe(400)
  })

  it('21: marks that turn the direction of text are refused, visible letters of all scripts taken', async () => {
    expect((await create({ name: 'abc\u202edef' })).status).toBe(400)
    expect((await create({ name: 'аdmin 管理 أحمد' })).status).toBe(201)
  })

  it('22: one name in two normal forms is one name', async () => {
    expect((await create({ name: 'caf\u00e9' })).status).toBe(201)
    const again = await create({ name: 'cafe\u0301' })
    expect([again.status, again.body.code]).toEqual([409, 'name_taken'])
  })

  it('23: emoji and combining marks count as the code points that they are', async () => {
    expect((await create({ name: '👩‍👩‍👧‍👦🎉' })).status).toBe(201)
    expect((await create({ name: `x${'\u0301'.repeat(500)}` })).status).toBe(400)
  })

  it.each([
    '<script>alert(1)</script>',
    '"><img onerror=x>',
    '{{7*7}}',
    `$${'{jndi:ldap://x}'}`,
    "'; DROP TABLE tasks; --",
  ])('24: %s is text, kept and shown as it is', async (name) => {
    const { body } = await create({ name })
    expect((await server.get(`/tasks/${body.id}`)).body.name).toBe(name)
  })
})

describe('changes', () => {
  it('31: If-Match that is not of now is refused, * and none are taken', async () => {
    const { body, headers } = await create({})
    const patch = (tag?: string) =>
      server.ask(
        'PATCH',
        `/tasks/${body.id}`,
        { description: `${count++}` },
        tag === undefined ? {} : { 'if-match': tag },
      )
    expect([(await patch('"9"')).status, (await patch('W/"0"')).status]).toEqual([412, 400])
    expect([
      (await patch(headers.get('etag') ?? '')).status,
      (await patch('*')).status,
      (await patch()).status,
    ]).toEqual([200, 200, 200])
  })
})

describe('crontabs', () => {
  it.each(['', '*', '* * * *', '* * * * * * *'])('35, 36: %j has not five fields', async (expression) => {
    expect((await create(cron(expression))).status).toBe(422)
  })

  it.each([
    ['60 * * * *', 'minute'],
    ['* 24 * * *', 'hour'],
    ['* * 0 * *', 'day of month'],
    ['* * 32 * *', 'day of month'],
    ['* * * 13 *', 'month'],
    ['* * * * 8', 'day of week'],
  ])('36: %s names the field', async (expression, field) => {
    const answer = await create(cron(expression))
    expect(answer.status).toBe(422)
    expect(JSON.stringify(answer.body)).toContain(field)
  })

  it('37: 7 for Sunday, names, and capitals are taken', async () => {
    for (const expression of ['0 0 * * 7', '0 0 * JAN mon', '0 0 * * SUN']) {
      expect((await create(cron(expression))).status, expression).toBe(201)
    }
  })

  it.each(['*/0 * * * *', '*/-1 * * * *', '50/7 * * * *'])('38, 39: %s', async (expression) => {
    expect((await create(cron(expression))).status).toBe(422)
  })

  it('39: a step beyond the range leaves its first value, as in Celery, and the preview shows it', async () => {
    const { body } = await preview(cron('*/70 * * * *').schedule)
    expect(body.occurrences).toEqual(['01', '02', '03'].map((hour) => `2026-01-01T${hour}:00:00.000Z`))
  })

  it('40: a range that runs backwards goes around the end, and the preview shows it', async () => {
    const { body } = await preview(cron('5-1 * * * *').schedule)
    expect(body.occurrences).toEqual(['01', '05', '06'].map((minute) => `2026-01-01T00:${minute}:00.000Z`))
    expect((await create(cron('0 0 * * sat-mon'))).status).toBe(201)
  })

  it.each(['1,,2 * * * *', '１ * * * *', '1e1 * * * *', '0x1 * * * *', '1\u00002 * * * *', '1\n2 * * * *'])(
    '41: %j',
    async (expression) => {
      expect([400, 422]).toContain((await create(cron(expression))).status)
    },
  )

  it.each(['0 0 30 2 *', '0 0 31 4 *'])('42: %s never fires', async (expression) => {
    const answer = await create(cron(expression))
    expect(answer.status).toBe(422)
    expect(JSON.stringify(answer.body)).toContain('never')
  })

  it('43: 29 February is taken, and comes in 2028', async () => {
    const { body } = await preview(cron('0 0 29 2 *').schedule)
    expect(body.occurrences[0]).toBe('2028-02-29T00:00:00.000Z')
  })

  it('44: day of month and day of week together mean either, and the words say so', async () => {
    const { body } = await preview(cron('0 0 13 * fri').schedule)
    expect(body.text).toMatch(/or|and|on/)
    expect(body.occurrences.length).toBe(3)
  })

  it('45: @daily and its like are taken, @reboot and @every are not', async () => {
    expect((await create(cron('@daily'))).status).toBe(201)
    for (const expression of ['@reboot', '@every 5m'])
      expect((await create(cron(expression))).status).toBe(422)
  })

  it.each(['H * * * *', '? * * * *', '0 0 W * *'])('46: %s is of another dialect', async (expression) => {
    expect((await create(cron(expression))).status).toBe(422)
  })

  it('47: a crontab of 100 KB, and a list of 10 000', async () => {
    for (const minutes of ['1'.repeat(100_000), Array.from({ length: 10_000 }, () => '1').join()]) {
      expect([400, 422]).toContain((await create(cron(`${minutes} * * * *`))).status)
    }
  })

  it.each(['', 'Mars/Phobos', '__proto__', '../../etc', '+25:00'])('48: the zone %j', async (timezone) => {
    expect([400, 422]).toContain((await create(cron('0 2 * * *', { timezone }))).status)
  })

  it('48: utc is UTC', async () => {
    expect((await create(cron('0 2 * * *', { timezone: 'utc' }))).status).toBe(201)
  })

  it('49: hours that clocks pass over or repeat follow a policy, and the preview says so', async () => {
    const gap = await preview(cron('30 2 * * *', { timezone: 'Europe/Warsaw' }).schedule, {
      from: '2026-03-28T12:00:00Z',
    })
    expect(gap.body.occurrences[0]).toBe('2026-03-29T01:30:00.000Z')
    expect(JSON.stringify(gap.body.notes)).toContain('does not exist')
    const half = await preview(cron('0 2 * * *', { timezone: 'Australia/Lord_Howe' }).schedule)
    expect(half.status).toBe(200)
    const apia = await preview(cron('0 12 * * *', { timezone: 'Pacific/Apia' }).schedule, {
      from: '2011-12-29T00:00:00Z',
    })
    expect(apia.body.occurrences.slice(0, 2)).toEqual([
      '2011-12-29T22:00:00.000Z',
      '2011-12-30T22:00:00.000Z',
    ])
  })
})

describe('other schedules', () => {
  it.each([
    [{ every: 0, period: 'days' }],
    [{ every: -1, period: 'days' }],
    [{ every: 0.5, period: 'seconds' }],
    [{ every: 1e12, period: 'days' }],
    [{ every: 1, period: 'months' }],
    ['5 minutes'],
  ])('50: the interval %j', async (interval) => {
    expect([400, 422]).toContain((await create({ schedule: { interval } })).status)
  })

  it.each(['1900-01-01T00:00:00Z', '10000-01-01T00:00:00Z', '+275760-09-13T00:00:00Z'])(
    '51: an instant beyond the years that there are: %s',
    async (at) => {
      expect([400, 422]).toContain((await create({ schedule: { clocked: { at } } })).status)
    },
  )

  it.each([
    '2026-02-30T00:00:00Z',
    '2026-03-01T00:00:00',
    '2026-03-01T00:00:60Z',
    '2026-03-01T24:00:00Z',
    '1767225600',
  ])('52: %s is no instant', async (at) => {
    expect([400, 422]).toContain((await create({ schedule: { clocked: { at } } })).status)
  })

  it('53: what ends before it starts', async () => {
    const at = '2030-01-01T00:00:00Z'
    expect((await create({ startTime: at, expires: '2029-01-01T00:00:00Z' })).status).toBe(422)
    expect((await create({ startTime: at, expires: at })).status).toBe(422)
  })

  it.each([
    { latitude: 91, longitude: 0 },
    { latitude: -90.0001, longitude: 0 },
    { latitude: '51N', longitude: 0 },
    { latitude: 0, longitude: 181 },
  ])('54: the place %j', async (place) => {
    expect([400, 422]).toContain(
      (await create({ schedule: { solar: { event: 'sunset', ...place } } })).status,
    )
  })

  it('54: 0, 0 is a place, and a pole has no sunset for months', async () => {
    const at = (latitude: number) => preview({ solar: { event: 'sunset', latitude, longitude: 0 } })
    expect((await at(0)).body.occurrences).toHaveLength(3)
    expect((await at(89.9)).status).toBe(200)
  })

  it('55: an event of the sun that is misspelt, with those that there are', async () => {
    const answer = await create({ schedule: { solar: { event: 'sunet', latitude: 0, longitude: 0 } } })
    expect(answer.status).toBe(422)
    expect(JSON.stringify(answer.body)).toContain('sunset')
  })

  it('67: a catch-up of ten years of seconds is bounded when it is written', async () => {
    const answer = await create({
      schedule: { interval: { every: 1, period: 'seconds' } },
      startTime: '2016-01-01T00:00:00Z',
      catchUp: { policy: 'all', max: 1_001 },
    })
    expect([400, 422]).toContain(answer.status)
    expect(said(answer)).toContain('catchUp.max')
  })
})

describe('what goes to workers', () => {
  it.each(['..', 'a b', 'q'.repeat(250), 'a\r\nb', '.'])('58: the queue %j', async (queue) => {
    expect([400, 422]).toContain((await create({ queue })).status)
  })

  it.each<[object]>([
    [{ 'a\r\nb': 1 }],
    [{ a: 'x\r\ny' }],
    [{ a: 'x\u0000y' }],
    [{ ä: 1 }],
    [{ 'almanac-run': 1 }],
    [Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`h${n}`, 1]))],
  ])('59: the headers %j', async (headers) => {
    expect([400, 422]).toContain((await create({ headers })).status)
  })

  it('60: what no broker would take is refused when it is written', async () => {
    const answer = await create({ args: ['x'.repeat(70_000)] })
    expect(answer.status).toBe(422)
    expect(said(answer)).toContain('args')
  })
})

describe('many at once', () => {
  it('64: 501 operations are too many; of 500 each is answered', async () => {
    const operation = (n: number) => ({
      op: 'create',
      task: { name: n === 7 ? '' : `bulk ${n}`, task: 'a', schedule: daily },
    })
    const many = (length: number) =>
      server.post('/tasks/bulk', { operations: Array.from({ length }, (_, n) => operation(n)) })
    expect((await many(501)).status).toBe(413)
    const { status, body } = await many(500)
    const statuses = body.results.map((result: { status: number }) => result.status)
    expect([status, statuses[7], statuses.filter((each: number) => each === 201).length]).toEqual([
      200, 400, 499,
    ])
  })
})

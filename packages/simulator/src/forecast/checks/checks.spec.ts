import { describe, expect, it } from 'vitest'
import { crontab, everyMinute, play, posted, settings } from '../forecast.spec-support.js'
import { readCheck, readChecks } from './read.js'

const week = settings('2027-03-22T00:00:00Z', '2027-03-29T00:00:00Z')
const hour = settings('2027-03-22T12:00:00Z', '2027-03-22T13:00:00Z')
const nightly = posted(crontab('30 2 * * *', 'Europe/Warsaw'), {
  name: 'report-nightly',
  queue: 'reports',
  labels: { team: 'billing' },
})
const weekly = posted(crontab('0 6 * * mon', 'Europe/Warsaw'), { name: 'Weekly summary' })
const beat = posted(everyMinute, { name: 'beat' })
const noon = posted(crontab('0 12 * * *'), { name: 'noon' })
const lazy = posted(everyMinute, { name: 'lazy', jitterSeconds: 30 })

const judged = (tasks: readonly unknown[], played: typeof week, text: string) => {
  const [result] = play(tasks, played, [text]).checks
  if (result === undefined) throw new Error('no result')
  return result
}
const problemOf = (text: string) => {
  const read = readCheck(text, 'check')
  return read.ok ? undefined : `${read.error[0]?.path} ${read.error[0]?.message}`
}

// The nightly report runs at 01:30Z each day but on Sunday, the 28th, when it runs at 03:30 local time, 01:30Z.
describe('a check holds, and does not', () => {
  const reports = 'no run of report-* between'
  const summary = 'no run of "Weekly summary"'
  it.each([
    [
      `${reports} 03:31 and 04:00 Europe/Warsaw`,
      `${reports} 02:00 and 03:00 Europe/Warsaw`,
      [nightly],
      week,
      6,
    ],
    [
      `${reports} 03:00 and 03:30 Europe/Warsaw`,
      `${reports} 03:00 and 03:31 Europe/Warsaw`,
      [nightly],
      week,
      1,
    ],
    [`${reports} 23:00 and 01:30`, `${reports} 23:00 and 01:31`, [nightly], week, 7],
    [`${summary} on tue-sun Europe/Warsaw`, `${summary} on weekdays Europe/Warsaw`, [weekly], week, 1],
    [`${summary} on sat, sun`, `${summary} on Monday`, [weekly], week, 1],
    [
      `${summary} between 05:00 and 06:00 Europe/Warsaw on mon`,
      `${summary} on mon between 6:00 and 24:00 Europe/Warsaw`,
      [weekly],
      week,
      1,
    ],
    [
      'no run of team=ops*',
      'no run of team=bill*',
      [nightly, { ...weekly, labels: { team: 'ops' }, schedule: crontab('0 0 1 1 *') }],
      week,
      7,
    ],
    [
      'no run of queue:default',
      'no run of queue:reports',
      [nightly, { ...weekly, schedule: crontab('0 0 1 1 *') }],
      week,
      7,
    ],
    ['at most 60 runs in any 1h', 'at most 59 runs in any 1h', [beat], hour, 1],
    ['at most 1 run of beat in any 60s', 'at most 1 run of beat in any 61 seconds', [beat], hour, 30],
    ['at most 2 runs of * in any 1s', 'at most 1 run of * in any 1s', [beat, noon], hour, 1],
    ['at least 7 runs of report-nightly', 'at least 8 runs of report-nightly', [nightly], week, 1],
    ['at least 60 runs of beat per hour', 'at least 61 runs of beat per hour', [beat], hour, 1],
    ['at least 1 run of report-* per day', 'at least 2 runs of report-* per day', [nightly], week, 7],
    // Monday the 22nd begins at 23:00Z the day before: six whole days are left, and Monday the 29th is not whole.
    [
      'at least 1 run of report-* per day Europe/Warsaw',
      'at least 2 runs of report-* per day Europe/Warsaw',
      [nightly],
      week,
      6,
    ],
    ['at least 1 run of W* per week', 'at least 2 runs of W* per week', [weekly], week, 1],
    [
      'every run of lazy within 30s of its time',
      'every run of lazy within 0.5s of its time',
      [lazy],
      hour,
      59,
    ],
    [
      'no gap of more than 1min between runs of beat',
      'no gap of more than 59s between runs of beat',
      [beat],
      hour,
      60,
    ],
    [
      'no gap of more than 7d between runs of W*',
      'no gap of more than 6d between runs of W*',
      [weekly],
      week,
      1,
    ],
    ['no two runs of beat and beat within 59s', 'no two runs of beat and beat within 1min', [beat], hour, 59],
    [
      'no two runs of report-* and W* within 3h',
      'no two runs of W* and report-* within 3.5h',
      [nightly, weekly],
      week,
      1,
    ],
  ])('%s', (holds, fails, tasks, played, violations) => {
    expect(judged(tasks, played, holds)).toEqual({ text: holds, passed: true, violations: 0, first: [] })
    const failed = judged(tasks, played, fails)
    expect(failed).toMatchObject({ text: fails, passed: false, violations })
    expect(failed.first).toHaveLength(Math.min(5, violations))
  })
})

describe('what is said of a violation', () => {
  it('names the task, and the instant in the zone of the check', () => {
    const [first] = judged([nightly], week, 'no run of report-* between 02:00 and 03:00 Europe/Warsaw').first
    expect(first).toEqual({
      at: Date.parse('2027-03-22T01:30:00Z'),
      when: 'Mon 2027-03-22 02:30:00 +01:00',
      message: '"report-nightly" ran',
    })
  })

  it('tells how late, how long, how near', () => {
    const down = [{ node: null, from: hour.from + 90_000, until: hour.from + 630_000 }]
    const played = { ...hour, down }
    const of = (text: string) => judged([beat, noon], played, text).first[0]
    expect(of('every run of beat within 8s of its time')).toMatchObject({
      when: 'Mon 2027-03-22 12:10:30.100Z',
      message: '"beat" of Mon 2027-03-22 12:10:00Z ran 30.1 s late',
    })
    expect(of('no gap of more than 5min between runs of beat')).toMatchObject({
      when: 'Mon 2027-03-22 12:01:00Z',
      message: 'nothing for 9 min 30 s from here',
    })
    expect(of('no two runs of beat and noon within 1s')?.message).toMatch(
      /^"(beat|noon)" ran at once with "(beat|noon)"$/,
    )
    expect(
      judged([{ ...beat, catchUp: { policy: 'none' } }], played, 'no run of beat skipped'),
    ).toMatchObject({
      violations: 9,
      first: [{ when: 'Mon 2027-03-22 12:02:00Z', message: '9 occurrences of "beat" skipped: misfire' }],
    })
    expect(judged([beat], hour, 'no run of beat skipped').passed).toBe(true)
  })

  it('is that no task matches: such a check could never fail', () => {
    expect(judged([beat], hour, 'no run of baet').first[0]?.message).toBe('no task matches baet')
    expect(judged([beat], hour, 'no two runs of beat and "x y" within 1s').first[0]?.message).toBe(
      'no task matches "x y"',
    )
    expect(judged([beat], hour, 'at least 0 runs of beat per week').first[0]?.message).toMatch(
      /^no whole week/,
    )
  })
})

describe('reading', () => {
  it.each([
    ['', 'check:1 a check begins with "no run of"'],
    ['never run', 'check:1 a check begins with'],
    ['no run of', 'check:10 expected the name of a task, but the check ends here'],
    ['no run of ""', 'check:11 expected the name of a task, not nothing'],
    ['no run of a between 2 and 3', 'check:21 "2" is no time of the day'],
    ['no run of a between 02:00 an 03:00', 'check:27 expected "and", not "an"'],
    ['no run of a between 02:00 and 24:01', 'check:31 "24:01" is no time of the day'],
    ['no run of a between 02:00 and 02:00', 'check:21 both times are the same'],
    ['no run of a between 02:00 and 03:00 Europe/Warszawa', 'check:37 "Europe/Warszawa" is no time zone'],
    [
      'no run of a between 02:00 and 03:00 UTC on mon Europe/Warsaw',
      'check:48 the check has the zone UTC already',
    ],
    ['no run of a on mon-moonday', 'check:16 "mon-moonday" is no day of the week'],
    ['no run of a on sun on mon', 'check:20 does not know what "on" means here'],
    ['at most many runs in any 1s', 'check:9 expected a whole number'],
    ['at most 5 runs in 1s', 'check:19 expected "any", not "1s"'],
    ['at most 5 runs in any 1 fortnight', 'check:23 "1 fortnight" is no duration'],
    ['at most 5 runs in any 0s', 'check:23 "0s" is no duration'],
    ['at least 1 run of a per year', 'check:25 expected day, hour, week or month, not "year"'],
    ['every run of a within 5s', 'check:25 expected "of", but the check ends here'],
    ['no gap of more than 1h between runs of a b', 'check:42 does not know what "b" means here'],
    ['no run of "a', 'check:11 the quotation mark " is not closed'],
  ])('%j fails: %s', (text, message) => {
    expect(problemOf(text)).toContain(message)
  })

  it('takes quotes of both kinds, any case of its words, and names in the form of a label in quotes', () => {
    for (const text of ['No run of \'a "b"\'', 'AT MOST 1 run in any 2 minutes', 'no run of "team=x"']) {
      expect(problemOf(text)).toBeUndefined()
    }
    const tasks = [posted(everyMinute, { name: 'team=x' })]
    expect(judged(tasks, hour, 'no run of "team=x"').violations).toBe(60)
    expect(judged(tasks, hour, 'no run of team=x').first[0]?.message).toBe('no task matches team=x')
  })

  it('reads a file line by line, and names the lines that are wrong', () => {
    const file = '\ufeff# nights\r\nno run of a\n\n  # more\nno runs of a\nat most x runs in any 1s\n'
    const read = readChecks(file, 'checks.txt')
    expect(read.ok ? [] : read.error.map(({ path }) => path)).toEqual(['checks.txt:5:1', 'checks.txt:6:9'])
    expect(readChecks('# none\n', 'x')).toEqual({ ok: true, value: [] })
    const good = readChecks('no run of a\nno run of b skipped', 'x')
    expect(good.ok && good.value.map(({ text }) => text)).toEqual(['no run of a', 'no run of b skipped'])
  })
})

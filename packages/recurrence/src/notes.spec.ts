import { describe, expect, it } from 'vitest'
import { dstNotes } from './notes.js'
import type { CrontabValue, ScheduleValue } from './types.js'

const notes = (crontab: CrontabValue, from: string, until: string): readonly string[] =>
  dstNotes({ crontab }, Date.parse(from), Date.parse(until))

const warsaw = (expression: string, dst?: CrontabValue['dst']): readonly string[] =>
  notes(
    { expression, timezone: 'Europe/Warsaw', ...(dst && { dst }) },
    '2026-01-01T00:00:00Z',
    '2026-12-31T00:00:00Z',
  )

const spring = 'On 2026-03-29 clocks go forward from 02:00 to 03:00 in Europe/Warsaw: '
const autumn = 'On 2026-10-25 clocks go back from 03:00 to 02:00 in Europe/Warsaw: '

describe('dstNotes', () => {
  it('says what moves and what comes twice', () => {
    expect(warsaw('30 2 * * *')).toEqual([
      `${spring}02:30 does not exist and moves to 03:30.`,
      `${autumn}02:30 comes twice and fires only the first time.`,
    ])
    expect(warsaw('0,40 2 * * *')).toEqual([
      `${spring}02:00 and 02:40 do not exist and move to 03:00 and 03:40.`,
      `${autumn}02:00 and 02:40 come twice and fire only the first time.`,
    ])
  })

  it('says what falls together', () => {
    expect(warsaw('*/10 * * * *')).toEqual([
      `${spring}the 6 times from 02:00 to 02:50 do not exist ` +
        'and fall together with the 6 times from 03:00 to 03:50.',
      `${autumn}the 6 times from 02:00 to 02:50 come twice and fire both times.`,
    ])
  })

  it('follows the policy', () => {
    expect(warsaw('30 2 * * *', { gap: 'skip', overlap: 'both' })).toEqual([
      `${spring}02:30 does not exist and is left out.`,
      `${autumn}02:30 comes twice and fires both times.`,
    ])
    expect(warsaw('*/30 2 * * *', { gap: 'firstValid', overlap: 'second' })).toEqual([
      `${spring}02:00 and 02:30 do not exist; it fires once at 03:00 instead.`,
      `${autumn}02:00 and 02:30 come twice and fire only the second time.`,
    ])
  })

  it('is silent where nothing happens', () => {
    expect(warsaw('30 12 * * *')).toEqual([])
    expect(warsaw('30 2 * * mon')).toEqual([])
    expect(notes({ expression: '30 2 * * *' }, '2026-01-01T00:00:00Z', '2030-01-01T00:00:00Z')).toEqual([])
    expect(notes({ expression: 'nonsense' }, '2026-01-01T00:00:00Z', '2030-01-01T00:00:00Z')).toEqual([])
    const solar: ScheduleValue = { solar: { event: 'sunset', latitude: 52, longitude: 21 } }
    expect(dstNotes(solar, 0, 2e12)).toEqual([])
  })

  it('knows half-hour changes and skipped days', () => {
    const lordHowe = { expression: '15 2 * * *', timezone: 'Australia/Lord_Howe' }
    expect(notes(lordHowe, '2026-10-01T00:00:00Z', '2026-10-31T00:00:00Z')).toEqual([
      'On 2026-10-04 clocks go forward from 02:00 to 02:30 in Australia/Lord_Howe: ' +
        '02:15 does not exist and moves to 02:45.',
    ])
    const apia = { expression: '0 12 30 12 *', timezone: 'Pacific/Apia' }
    expect(notes(apia, '2011-12-01T00:00:00Z', '2012-01-15T00:00:00Z')).toEqual([
      `On 2011-12-30 clocks go forward from 00:00 to 2011-12-31 00:00 in Pacific/Apia: ` +
        '12:00 does not exist and moves to 2011-12-31 12:00.',
    ])
  })

  it('looks into unions and the base of an except, each sentence once, twenty at most', () => {
    const crontab = { expression: '30 2 * * *', timezone: 'Europe/Warsaw' }
    const value: ScheduleValue = {
      union: [{ crontab }, { except: { base: { crontab }, exclude: [{ crontab }] } }],
    }
    expect(dstNotes(value, Date.parse('2026-01-01'), Date.parse('2026-12-31'))).toHaveLength(2)
    expect(dstNotes(value, 1e12, 9e12)).toHaveLength(20)
  })
})

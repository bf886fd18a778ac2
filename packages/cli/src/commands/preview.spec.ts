import { describe, expect, it } from 'vitest'
import { almanac } from '../../test-support/almanac.js'

describe('preview', () => {
  it('works out a crontab offline, in its zone and in UTC, with what the clocks do', async () => {
    const { code, out, asked } = await almanac([
      'preview',
      '30 2 * * *',
      '-z',
      'America/New_York',
      '--from',
      '2027-03-13',
      '-c',
      '3',
    ])
    expect(code).toBe(0)
    expect(asked).toEqual([])
    expect(out).toContain('At 02:30 AM America/New_York')
    expect(out).toContain('Sun 2027-03-14 03:30:00 -04:00  2027-03-14 07:30:00Z')
    expect(out).toMatch(/^! .*/m)
  })

  it.each([
    ['0 2 * * mon', [], '2026-11-30T02:00:00.000Z'],
    ['@daily', [], '2026-11-25T00:00:00.000Z'],
    ['15 0 2 * * *', ['--seconds'], '2026-11-25T02:00:15.000Z'],
    ['TZ=Asia/Kolkata 0 22-2 * * *', [], '2026-11-24T16:30:00.000Z'],
    ['{"interval":{"every":500000,"period":"microseconds"}}', [], '2026-11-24T12:00:00.500Z'],
    ['{"clocked":{"at":"2027-01-01T00:00:00Z"}}', [], '2027-01-01T00:00:00.000Z'],
    ['{"solar":{"event":"solar_noon","latitude":51.4769,"longitude":0}}', [], '2026-11-25T11:'],
    [
      '{"union":[{"crontab":{"hour":"3","minute":"0"}},{"crontab":{"hour":"1","minute":"0"}}]}',
      [],
      '2026-11-25T01:00',
    ],
    [
      '{"except":{"base":{"crontab":{"expression":"0 9 * * *"}},"exclude":[{"calendar":{"dates":["2026-11-25"]}}]}}',
      [],
      '2026-11-26T09:00:00.000Z',
    ],
  ])('%s', async (schedule, options, first) => {
    const { code, out, err } = await almanac(['preview', schedule, ...options, '--json'])
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(JSON.parse(out).occurrences[0].startsWith(first)).toBe(true)
  })

  it.each([
    ['0 25 * * *', /hour /],
    ['0 0 31 2 *', /never/i],
    ['* * * *', /field/],
    ['1 2 3 4 5 6', /--seconds/],
    ['{"interval":{"every":0,"period":"minutes"}}', /interval\.every/],
    ['{"intervall":{}}', /interval/],
    ['{"a":', /JSON/],
  ])('refuses %s, naming the field', async (schedule, message) => {
    const { code, err } = await almanac(['preview', schedule])
    expect(code).toBe(2)
    expect(err).toMatch(message)
  })

  it('tells what is wrong with the JSON, as a whole or at a place in it', async () => {
    const whole = await almanac(['preview', '{bad'])
    expect(whole.err).toMatch(/^error The schedule is not JSON as it should be: \S/)
    const place = await almanac(['preview', '{"interval":{"every":1,"every":2}}'])
    expect(place.err).toMatch(/^error The schedule is not JSON as it should be: interval\.every \S/)
  })

  it('tells when the schedule has ended', async () => {
    const { out } = await almanac(['preview', '{"clocked":{"at":"2020-01-01T00:00:00Z"}}'])
    expect(out).toContain('never fires again')
  })
})

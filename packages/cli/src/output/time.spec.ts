import { describe, expect, it } from 'vitest'
import { duration, instantText, readInstant, relative } from './time.js'

const now = Date.parse('2026-11-24T12:00:00Z')

describe('relative', () => {
  it.each([
    [0, 'now'],
    [999, 'now'],
    [1000, 'in 1 s'],
    [-119_999, '119 s ago'],
    [-120_000, '2 min ago'],
    [90 * 60_000, 'in 90 min'],
    [120 * 60_000, 'in 2 h'],
    [47 * 3_600_000, 'in 47 h'],
    [48 * 3_600_000, 'in 2 d'],
    [-61 * 86_400_000, '2 mo ago'],
    [800 * 86_400_000, 'in 2 y'],
  ])('%i ms is %s', (distance, text) => {
    expect(relative(now + distance, now)).toBe(text)
  })
})

describe('readInstant', () => {
  it.each([
    ['now', now],
    ['-2h', now - 7_200_000],
    ['+1d', now + 86_400_000],
    ['-90s', now - 90_000],
    ['+5min', now + 300_000],
    ['2026-12-01', Date.parse('2026-12-01T00:00:00Z')],
    ['2026-12-01T09:30:00Z', Date.parse('2026-12-01T09:30:00Z')],
    ['2026-12-01 09:30:00+02:00', Date.parse('2026-12-01T07:30:00Z')],
  ])('%s', (text, instant) => {
    expect(readInstant(text, now)).toBe(instant)
  })

  it.each([
    '',
    'tomorrow',
    '2h',
    '2026-12-01T09:30:00',
    '2026-02-30',
    '2026-02-30T00:00:00Z',
    '12',
    '+1y',
    '2026-13-01',
  ])('refuses %j', (text) => {
    expect(readInstant(text, now)).toBeUndefined()
  })
})

it('prints instants and durations', () => {
  expect(instantText(now)).toBe('2026-11-24 12:00:00Z')
  expect(instantText(now + 5)).toBe('2026-11-24 12:00:00.005Z')
  expect([5, 12_345, 250_000, 7_500_000].map(duration)).toEqual(['5 ms', '12.3 s', '4 min 10 s', '2 h 5 min'])
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dayNumber, formatInstant, maxInstant, minInstant, parseInstant } from './instant.js'

const codeOf = (text: unknown): string | undefined => {
  const result = parseInstant(text)
  return result.ok ? undefined : result.error[0]?.code
}

describe('parseInstant', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2026-12-01T09:30:00Z', Date.UTC(2026, 11, 1, 9, 30)],
    ['2026-12-01T09:30Z', Date.UTC(2026, 11, 1, 9, 30)],
    ['2026-12-01T09:30:00+02:00', Date.UTC(2026, 11, 1, 7, 30)],
    ['2026-12-01T09:30:00-05:45', Date.UTC(2026, 11, 1, 15, 15)],
    ['2026-12-01T09:30:00-00:00', Date.UTC(2026, 11, 1, 9, 30)],
    ['2026-12-01T09:30:00.5Z', Date.UTC(2026, 11, 1, 9, 30, 0, 500)],
    ['2026-12-01T09:30:00.123456Z', Date.UTC(2026, 11, 1, 9, 30, 0, 123)],
    ['2026-12-01T09:30:00.999999999Z', Date.UTC(2026, 11, 1, 9, 30, 0, 999)],
    ['2024-02-29T23:59:59.999Z', Date.UTC(2024, 1, 29, 23, 59, 59, 999)],
    ['1970-01-01T05:30:00+05:30', 0],
    ['9999-12-31T23:59:59.999Z', maxInstant],
  ])('reads %s', (text, instant) => {
    expect(parseInstant(text)).toEqual({ ok: true, value: instant })
  })

  it.each([
    ['2026-12-01T09:30:00', 'bad_instant'],
    ['2026-12-01', 'bad_instant'],
    ['2026-12-01 09:30:00Z', 'bad_instant'],
    ['2026-12-01t09:30:00z', 'bad_instant'],
    ['2026-12-01T09:30:00+0200', 'bad_instant'],
    ['2026-12-01T09:30:00.Z', 'bad_instant'],
    [' 2026-12-01T09:30:00Z', 'bad_instant'],
    ['2026-12-01T09:30:00Z\n', 'bad_instant'],
    ['+010000-01-01T00:00:00Z', 'bad_instant'],
    ['275760-09-13T00:00:00Z', 'bad_instant'],
    ['1764581400', 'bad_instant'],
    [1764581400000, 'bad_instant'],
    [null, 'bad_instant'],
    ['２０２６-12-01T09:30:00Z', 'bad_instant'],
    ['2026-02-30T00:00:00Z', 'no_such_date'],
    ['2025-02-29T00:00:00Z', 'no_such_date'],
    ['2100-02-29T00:00:00Z', 'no_such_date'],
    ['2026-13-01T00:00:00Z', 'no_such_date'],
    ['2026-00-10T00:00:00Z', 'no_such_date'],
    ['2026-12-01T24:00:00Z', 'no_such_time'],
    ['2026-12-01T23:59:60Z', 'no_such_time'],
    ['2026-12-01T23:60:00Z', 'no_such_time'],
    ['2026-12-01T00:00:00+24:00', 'no_such_offset'],
    ['2026-12-01T00:00:00+01:60', 'no_such_offset'],
    ['1900-01-01T00:00:00Z', 'instant_out_of_range'],
    ['0070-01-01T00:00:00Z', 'instant_out_of_range'],
    ['1970-01-01T00:00:00+00:01', 'instant_out_of_range'],
    ['9999-12-31T23:59:59-00:01', 'instant_out_of_range'],
  ])('refuses %s as %s', (text, code) => {
    expect(codeOf(text)).toBe(code)
  })

  it('reads back what formatInstant writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: minInstant, max: maxInstant }), (instant) => {
        expect(parseInstant(formatInstant(instant))).toEqual({ ok: true, value: instant })
      }),
    )
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(typeof parseInstant(value).ok).toBe('boolean')
      }),
    )
  })
})

describe('dayNumber', () => {
  it('knows the calendar, also before year 100', () => {
    expect(dayNumber(1970, 1, 1)).toBe(0)
    expect(dayNumber(1969, 12, 31)).toBe(-1)
    expect(dayNumber(2000, 2, 29)).toBe(11016)
    expect(dayNumber(99, 1, 1)).toBeLessThan(-600_000)
    expect(dayNumber(2023, 2, 29)).toBeUndefined()
  })
})

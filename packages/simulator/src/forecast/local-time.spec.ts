import { type Zone, zone } from '@almanac/recurrence'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hourMs, nextStart, startOf, type Unit, zonedText } from './local-time.js'

const at = (iso: string) => Date.parse(iso)
const zoned = (name: string): Zone => {
  const found = zone(name)
  if (found === undefined) throw new Error(name)
  return found
}
const starts = (name: string, unit: Unit, from: string, count: number) => {
  const found: string[] = []
  for (let next = at(from); found.length < count; ) {
    next = nextStart(zoned(name), unit, next)
    found.push(new Date(next).toISOString().slice(0, 16))
  }
  return found
}

describe('local days', () => {
  it('have 23 and 25 hours when the clock of Warsaw changes', () => {
    expect(starts('Europe/Warsaw', 'day', '2027-03-27T12:00:00Z', 2)).toEqual([
      '2027-03-27T23:00',
      '2027-03-28T22:00',
    ])
    expect(starts('Europe/Warsaw', 'day', '2027-10-30T12:00:00Z', 2)).toEqual([
      '2027-10-30T22:00',
      '2027-10-31T23:00',
    ])
  })

  it('begin at the jump where the clock jumps over midnight', () => {
    // Cairo: from 00:00 to 01:00 on the last Friday of April.
    expect(starts('Africa/Cairo', 'day', '2027-04-29T12:00:00Z', 2)).toEqual([
      '2027-04-29T22:00',
      '2027-04-30T21:00',
    ])
  })
})

it('weeks begin on Monday, months on the first', () => {
  expect(starts('America/New_York', 'week', '2027-03-10T00:00:00Z', 2)).toEqual([
    '2027-03-15T04:00',
    '2027-03-22T04:00',
  ])
  expect(starts('Asia/Tokyo', 'month', '2027-12-31T14:59:00Z', 2)).toEqual([
    '2027-12-31T15:00',
    '2028-01-31T15:00',
  ])
})

it('hours begin at the minute 0, and anew where the clock jumps', () => {
  expect(starts('Asia/Kolkata', 'hour', '2027-01-01T00:00:00Z', 2)).toEqual([
    '2027-01-01T00:30',
    '2027-01-01T01:30',
  ])
  // Lord Howe: at 02:00 back to 01:30, and so to 02:00 again half an hour later.
  expect(starts('Australia/Lord_Howe', 'hour', '2027-04-03T14:10:00Z', 3)).toEqual([
    '2027-04-03T15:00',
    '2027-04-03T15:30',
    '2027-04-03T16:30',
  ])
})

it('the start of an instant is the last one at or before it', () => {
  const names = [
    'UTC',
    'Europe/Warsaw',
    'America/New_York',
    'Africa/Cairo',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
  ]
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.constantFrom<Unit>('hour', 'day', 'week', 'month'),
      fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2029-01-01T00:00:00Z') }),
      (name, unit, instant) => {
        const start = startOf(zoned(name), unit, instant)
        expect(start).toBeLessThanOrEqual(instant)
        expect(nextStart(zoned(name), unit, start)).toBeGreaterThan(instant)
        expect(nextStart(zoned(name), unit, start - 1)).toBe(start)
        const local = zoned(name).toLocal(start)
        if (unit === 'hour' && local % hourMs !== 0) expect(name).toBe('Australia/Lord_Howe')
      },
    ),
  )
})

it('instants are shown with their day and offset', () => {
  expect(zonedText(at('2027-03-28T01:00:00Z'), zoned('Europe/Warsaw'))).toBe('Sun 2027-03-28 03:00:00 +02:00')
  expect(zonedText(at('2027-03-28T01:00:00.250Z'), zoned('UTC'))).toBe('Sun 2027-03-28 01:00:00.250Z')
  expect(zonedText(at('2027-01-01T00:00:00Z'), zoned('America/St_Johns'))).toBe(
    'Thu 2026-12-31 20:30:00 -03:30',
  )
})

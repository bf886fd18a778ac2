import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { type Zone, zone } from './zone.js'

const hour = 3_600_000
const day = 24 * hour

function known(name: string): Zone {
  const found = zone(name)
  if (found === undefined) throw new Error(`no zone ${name}`)
  return found
}

const iso = (at: number): string => new Date(at).toISOString()

describe('zone names', () => {
  it('spells every zone of Intl as Intl does, whatever the case asked for', () => {
    for (const name of Intl.supportedValuesOf('timeZone')) {
      expect(zone(name.toUpperCase())?.name).toBe(name)
      expect(zone(name)).toBe(zone(name.toLowerCase()))
    }
  })

  it.each([
    ['utc', 'UTC'],
    ['Etc/utc', 'Etc/UTC'],
    ['asia/kolkata', 'Asia/Kolkata'],
    ['est', 'EST'],
    ['gb-eire', 'GB-Eire'],
    ['america/port-au-prince', 'America/Port-au-Prince'],
    ['africa/dar_es_salaam', 'Africa/Dar_es_Salaam'],
    ['antarctica/mcmurdo', 'Antarctica/McMurdo'],
    ['america/knox_in', 'America/Knox_IN'],
    ['etc/gmt+5', 'Etc/GMT+5'],
    ['us/pacific', 'US/Pacific'],
    ['est5edt', 'EST5EDT'],
    ['america/argentina/comodrivadavia', 'America/Argentina/ComodRivadavia'],
  ])('%s is %s', (asked, name) => {
    expect(zone(asked)?.name).toBe(name)
  })

  it.each([
    '',
    ' ',
    ' UTC',
    'Mars/Phobos',
    '__proto__',
    'constructor',
    '../../etc',
    '/UTC',
    'posix/UTC',
    '+25:00',
    '+02:00',
    '-05',
    'GMT+5',
    'PST',
    'IST',
    'SystemV/EST5',
    'Factory',
    'localtime',
    `Europe/${'x'.repeat(100)}`,
    'Europe/Berlin\0',
    'Europe/Berlin\n',
  ])('refuses %j', (name) => {
    expect(zone(name)).toBeUndefined()
  })
})

describe('zone offsets', () => {
  const names = Intl.supportedValuesOf('timeZone').concat('EST5EDT', 'Etc/GMT+5')

  it('are those of Intl at any instant from 1970 to 2200, in every zone', () => {
    const probes = new Map(names.map((name) => [name, wallClockOf(name)]))
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.integer({ min: 0, max: Date.UTC(2200, 0) / 1000 }),
        (name, second) => {
          const at = second * 1000
          expect(known(name).toLocal(at)).toBe(probes.get(name)?.(at))
          expect(known(name).localDay(at)).toBe(Math.floor((probes.get(name)?.(at) ?? 0) / day))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('change where Temporal says, over the years 2000 to 2040', () => {
    for (const name of [
      'America/New_York',
      'Africa/Casablanca',
      'Asia/Gaza',
      'Pacific/Apia',
      'Australia/Lord_Howe',
    ]) {
      const found = known(name).transitionsBetween(Date.UTC(2000, 0), Date.UTC(2040, 0))
      const expected: number[] = []
      let at = Temporal.Instant.from('2000-01-01T00:00:00Z').toZonedDateTimeISO(name)
      for (;;) {
        const next = at.getTimeZoneTransition('next')
        if (next === null || next.epochMilliseconds > Date.UTC(2040, 0)) break
        // Temporal also lists changes of the name alone.
        if (next.offsetNanoseconds !== next.subtract({ nanoseconds: 1 }).offsetNanoseconds) {
          expected.push(next.epochMilliseconds)
        }
        at = next
      }
      expect(found.map((change) => change.at)).toEqual(expected)
    }
  })

  it('give the instants of a wall-clock time as Temporal does', () => {
    const some = [
      'America/New_York',
      'Australia/Lord_Howe',
      'Pacific/Chatham',
      'Africa/Casablanca',
      'Asia/Kolkata',
    ]
    const near = fc.constantFrom(...some).chain((name) => {
      const changes = known(name).transitionsBetween(Date.UTC(2015, 0), Date.UTC(2030, 0))
      const base =
        changes.length > 0 ? fc.constantFrom(...changes.map((change) => change.at)) : fc.constant(1.7e12)
      return fc.tuple(fc.constant(name), base, fc.integer({ min: -180, max: 180 }))
    })
    fc.assert(
      fc.property(near, ([name, at, minutes]) => {
        const local = known(name).toLocal(at) + minutes * 60_000
        const plain = Temporal.PlainDateTime.from(iso(local).slice(0, -1))
        const earlier = plain.toZonedDateTime(name, { disambiguation: 'earlier' })
        const later = plain.toZonedDateTime(name, { disambiguation: 'later' })
        const exists = earlier.toPlainDateTime().equals(plain)
        const expected = exists ? [...new Set([earlier.epochMilliseconds, later.epochMilliseconds])] : []
        expect(known(name).fromLocal(local)).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })

  it('skip a whole day where the date line moved', () => {
    const apia = known('Pacific/Apia')
    expect(apia.fromLocal(Date.UTC(2011, 11, 30, 9))).toEqual([])
    expect(apia.fromLocal(Date.UTC(2011, 11, 31, 0)).map(iso)).toEqual(['2011-12-30T10:00:00.000Z'])
    expect(apia.transitionsBetween(Date.UTC(2011, 11, 1), Date.UTC(2012, 0))).toEqual([
      { at: Date.UTC(2011, 11, 30, 10), before: -10 * hour, after: 14 * hour },
    ])
  })

  it('keep the seconds of local mean time', () => {
    expect(known('Africa/Monrovia').offsetAt(0)).toBe(-(44 * 60 + 30) * 1000)
  })

  it('count a transition in (a, b]', () => {
    const berlin = known('Europe/Berlin')
    const at = Date.UTC(2026, 2, 29, 1)
    expect(berlin.transitionsBetween(at - 1, at)).toHaveLength(1)
    expect(berlin.transitionsBetween(at, at + 1)).toHaveLength(0)
    expect(berlin.transitionsBetween(at + 1, at)).toHaveLength(0)
  })

  it('are constant before 1900 and after 9999, and answer for no number at all', () => {
    const berlin = known('Europe/Berlin')
    expect(berlin.offsetAt(-1e15)).toBe(hour)
    expect(berlin.offsetAt(8.64e15)).toBe(hour)
    expect(berlin.offsetAt(Infinity)).toBe(hour)
    expect(berlin.offsetAt(Number.NaN)).toBe(hour)
    expect(berlin.fromLocal(Number.NaN)).toEqual([])
    expect(berlin.fromLocal(Infinity)).toEqual([])
    expect(known('UTC').transitionsBetween(-Infinity, Infinity)).toEqual([])
  })
})

function wallClockOf(name: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (at) => {
    const [month = 0, date = 0, year = 0, ...time] = (format.format(at).match(/\d+/g) ?? []).map(Number)
    return Date.UTC(year, month - 1, date, time[0], time[1], time[2])
  }
}

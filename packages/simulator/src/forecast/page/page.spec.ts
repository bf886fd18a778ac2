import { zone } from '@almanac/recurrence'
import { describe, expect, it } from 'vitest'
import { crontab, everyMinute, play, posted, settings } from '../forecast.spec-support.js'
import { forecastPage } from './page.js'
import { roundTicks, timeTicks } from './scale.js'

const day = settings('2027-03-28T00:00:00Z', '2027-03-29T00:00:00Z', {
  timezone: 'Europe/Warsaw',
  outages: 2,
  blackouts: 1,
})
const tasks = [
  posted(everyMinute, { name: '<script>alert("1")</script>', queue: 'mail' }),
  posted(crontab('0 * * * *'), { name: 'hourly' }),
  posted(everyMinute, { name: 'off & away', enabled: false }),
]
const played = play(tasks, day, [
  'no run of hourly between 12:00 and 13:00',
  'at least 1 run of hourly per hour',
])
const page = forecastPage(played, { by: 'queue', source: 'tasks & "more".json' })

describe('the page', () => {
  it('needs nothing from anywhere, and runs nothing', () => {
    expect(page).not.toMatch(/https?:|<script|<link|src=|@import|url\(/)
    expect(page).toContain('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;')
    expect(page).toContain('What tasks &#38; &#34;more&#34;.json would do')
  })

  it('closes what it opens', () => {
    const open: string[] = []
    for (const [, slash, name = '', selfClosed] of page.matchAll(/<(\/?)([a-z0-9]+)(?:\s[^<>]*?)?(\/?)>/g)) {
      if (selfClosed === '/' || name === 'meta') continue
      if (slash === '') open.push(name)
      else expect(open.pop()).toBe(name)
    }
    expect(open).toEqual([])
  })

  it('shows the checks, the outages, the digest and who is left out', () => {
    expect(page).toContain(
      '<span class="mark bad">broken</span><code>no run of hourly between 12:00 and 13:00</code>',
    )
    expect(page).toContain('<span class="mark good">holds</span>')
    expect(page).toContain('1 of 2')
    expect(page).toContain(played.digest)
    expect(page.match(/class="outage"/g)).toHaveLength(2)
    // In the picture and in its legend.
    expect(page.match(/class="blackout"/g)).toHaveLength(2)
    expect(page).toContain('off &#38; away')
    expect(page).toMatch(/all nodes gone from Sun 2027-03-2\d \S+ \+0[12]:00 for 30 min/)
  })

  it('has a bar with its number of runs for each stretch of time, and a cell for each hour of the week', () => {
    const titles = [...page.matchAll(/<g><title>([^<]*)<\/title>/g)].map(([, title = '']) => title)
    expect(titles.length).toBe(played.load.buckets.filter(({ runs }) => runs > 0).length)
    const sum = titles.reduce((total, title) => total + Number(/: (\d+) runs/.exec(title)?.[1]), 0)
    expect(sum).toBe(played.totals.runs)
    expect(page.match(/class="(heat|none)"/g)).toHaveLength(7 * 24)
    expect(forecastPage(played, { by: 'node', source: 'x' })).toContain('node-3 <small>')
  })
})

describe('axes', () => {
  it.each([
    [0, [0, 1]],
    [3, [0, 1, 2, 3]],
    [7, [0, 2, 4, 6, 8]],
    [1421, [0, 500, 1000, 1500]],
    [80_000, [0, 20_000, 40_000, 60_000, 80_000]],
  ])('up to %i: %j', (most, ticks) => {
    expect(roundTicks(most)).toEqual(ticks)
  })

  it.each([
    ['2027-01-01T00:00:00Z', '2028-01-01T00:00:00Z', '2027 Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'],
    ['2027-03-27T12:00:00Z', '2027-03-30T12:00:00Z', '28 Mar 29 Mar 30 Mar'],
    ['2027-03-27T21:00:00Z', '2027-03-28T00:00:00Z', '21:00 22:00 23:00'],
    ['2027-03-27T21:00:30Z', '2027-03-27T21:03:30Z', '21:01 21:02 21:03'],
    ['2027-03-27T21:00:00Z', '2027-03-27T21:00:30Z', '21:00 21:00:10 21:00:20'],
  ])('%s to %s: %s', (from, to, labels) => {
    const utc = zone('UTC')
    const ticks = utc === undefined ? [] : timeTicks(Date.parse(from), Date.parse(to), utc)
    expect(ticks.map(({ label }) => label).join(' ')).toBe(labels)
  })
})

import { expect, it } from 'vitest'
import { durationText, readDuration } from './duration.js'

it.each([
  ['90s', 90_000],
  ['10 min', 600_000],
  ['1.5h', 5_400_000],
  ['2d', 172_800_000],
  ['1y', 365 * 86_400_000],
  ['250ms', 250],
  ['5', undefined],
  ['-1s', undefined],
  ['1 month', undefined],
  ['1001y', undefined],
])('%s is %s ms', (text, ms) => {
  expect(readDuration(text)).toBe(ms)
})

it.each([
  [850, '850 ms'],
  [12_000, '12 s'],
  [12_340, '12.3 s'],
  [250_000, '4 min 10 s'],
  [3_600_000, '1 h'],
  [11_100_000, '3 h 5 min'],
  [90_000_000, '1 d 1 h'],
])('%i ms is %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})

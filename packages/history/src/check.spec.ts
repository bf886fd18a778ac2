import { expect, it } from 'vitest'
import { checkHistory } from './check.js'
import { life, recoveredLife } from './lives.spec-support.js'
import { rules } from './types.js'

const told = (records: Parameters<typeof checkHistory>[0]) =>
  checkHistory(records).violations.map(({ rule, message, taskId }) => `${rule}: ${message} (${taskId})`)

it('finds nothing in a clean history, and has looked at it by every rule', () => {
  const report = checkHistory(life())
  expect(report.violations).toEqual([])
  for (const rule of rules) {
    expect(report.rules.find((count) => count.rule === rule)?.checked, rule).toBeGreaterThan(0)
  }
  expect(report.counts).toMatchObject({ tasks: 8, takeovers: 3 })
  expect(report.counts.skipped).toBeGreaterThan(0)
  expect(report.counts.occurrences).toBeGreaterThan(150)
  const runs = report.lateness.reduce((sum, bucket) => sum + bucket.runs, 0)
  expect(runs).toBeGreaterThan(150)
})

it('allows what a recovery repeats, when it says so', () => {
  expect(told(recoveredLife())).toEqual([])
  expect([...new Set(told(recoveredLife(false)).map((text) => text.split(':')[0]))]).toEqual(['doubled'])
})

it('takes a record that was seen twice for one', () => {
  const records = life()
  expect(
    told([...records, ...records.filter(({ kind }) => kind === 'run' || kind === 'checkpoint')]),
  ).toEqual([])
})

it('judges records of different logs in any order', () => {
  const records = [...life()]
  const events = records.filter(({ kind }) => kind === 'event')
  const others = records.filter(({ kind }) => kind !== 'event').reverse()
  expect(told([...others, ...events])).toEqual([])
})

it('does not judge records without a meta, or with two', () => {
  const records = life()
  expect(() => checkHistory(records.slice(1))).toThrow('there is no meta record')
  expect(() => checkHistory([...records, ...records])).toThrow('two meta records')
})

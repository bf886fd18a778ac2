import { describe, expect, it } from 'vitest'
import { ModelSubject } from './cluster/conformance/model-subject.js'
import { observe, scenarios } from './cluster/conformance/observe.js'
import { planted } from './cluster/conformance/planted.js'
import { recorded } from './cluster/conformance/record.js'

/** The same without a broker: what real ones have shown is recorded by `npm run test:cluster`. */
describe('the model of Kafka does as real brokers have done', () => {
  it.each(scenarios)('$experiment: $name', async (scenario) => {
    const seen = await observe(scenario, new ModelSubject())
    expect(seen).toEqual(recorded.observations[scenario.name])
    expect(seen).toEqual(scenario.documented)
  })

  it('has a record for each scenario, and for nothing else', () => {
    const names = scenarios.map(({ name }) => name)
    expect(Object.keys(recorded.observations).sort()).toEqual([...names].sort())
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('a model is told from a real broker that', () => {
  it.each(planted)('$what', async ({ shownBy, subject }) => {
    const scenario = scenarios.find(({ name }) => name === shownBy)
    if (scenario === undefined) throw new Error(`There is no scenario "${shownBy}"`)
    // It may also not come to an end at all: what should work is refused.
    const seen = await observe(scenario, subject()).catch((error: unknown) => ({ error: String(error) }))
    expect(seen).not.toEqual(recorded.observations[shownBy])
  })
})

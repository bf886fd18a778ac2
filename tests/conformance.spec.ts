import { describe, expect, it } from 'vitest'
import { ModelSubject } from './cluster/conformance/model-subject.js'
import { observe, scenarios } from './cluster/conformance/observe.js'

describe('the model of Kafka', () => {
  it.each(scenarios)('$experiment: $name', async (scenario) => {
    expect(await observe(scenario, new ModelSubject())).toEqual(scenario.documented)
  })
})

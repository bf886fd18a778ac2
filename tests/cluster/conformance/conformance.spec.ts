import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ModelSubject } from './model-subject.js'
import { observe, scenarios } from './observe.js'
import { RealBroker } from './real-subject.js'
import { record, recorded } from './record.js'
import type { Observation, Scenario } from './scenario.js'

const isRecording = process.env.ALMANAC_RECORD === '1'

let real: RealBroker
const observed: Record<string, Observation> = {}
const modelled = new Map<Scenario, Observation>()
/** Under way beside all others: they take their time, and nothing but time. */
const long = new Map<Scenario, Promise<Observation>>()

beforeAll(async () => {
  // All of it before any real client runs: time stands still for them while a world runs.
  for (const scenario of scenarios) modelled.set(scenario, await observe(scenario, new ModelSubject()))
  real = await RealBroker.start()
  for (const scenario of scenarios.filter(({ when }) => when === 'long')) {
    const observation = observe(scenario, real.subject())
    observation.catch(() => {})
    long.set(scenario, observation)
  }
})

afterAll(async () => {
  await real.stop()
  const isWhole = scenarios.every(({ name }) => name in observed)
  if (isRecording && isWhole) record(process.env.ALMANAC_TEST_KAFKA_VERSION ?? '3.9.1', inFileOrder())
})

const inFileOrder = (): Record<string, Observation> =>
  Object.fromEntries(scenarios.map(({ name }) => [name, observed[name] ?? {}]))

/** Killing the broker would disturb whatever runs beside it. */
const order = { undefined: 0, long: 1, last: 2 } as const
const inOrder = [...scenarios].sort(
  (one, two) => order[one.when ?? 'undefined'] - order[two.when ?? 'undefined'],
)

describe('the real broker does as is documented, as it has done, and as the model does', () => {
  it.each(inOrder)('$experiment: $name', { timeout: 120_000 }, async (scenario) => {
    const seen = await (long.get(scenario) ?? observe(scenario, real.subject()))
    observed[scenario.name] = seen
    expect(seen, 'the real broker, and what is documented').toEqual(scenario.documented)
    expect(modelled.get(scenario), 'the model, and the real broker').toEqual(seen)
    if (!isRecording) {
      expect(seen, 'the real broker, and what it has shown').toEqual(recorded.observations[scenario.name])
    }
  })
})

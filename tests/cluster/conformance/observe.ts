import { TransactionBench } from '@almanac/adapters/transactions/contract'
import { fenceScenarios } from './fence-scenarios.js'
import { Lab } from './lab.js'
import { offsetScenarios } from './offset-scenarios.js'
import { portScenarios } from './port-scenarios.js'
import type { Observation, Scenario } from './scenario.js'
import { stateScenarios } from './state-scenarios.js'
import type { ConformanceSubject } from './subject.js'
import { visibilityScenarios } from './visibility-scenarios.js'

export const scenarios: readonly Scenario[] = [
  ...fenceScenarios,
  ...stateScenarios,
  ...visibilityScenarios,
  ...offsetScenarios,
  ...portScenarios,
]

/** What one scenario shows of a subject, which is closed afterwards. */
export async function observe(scenario: Scenario, subject: ConformanceSubject): Promise<Observation> {
  const bench = new TransactionBench({ ...subject.clients, close: () => subject.close() })
  try {
    return await scenario.run(new Lab(subject, bench))
  } finally {
    await bench.close()
  }
}

import type { Lab } from './lab.js'

/** Plain values only: it is compared, and kept as JSON. */
export type Observation = { readonly [what: string]: unknown }

export interface Scenario {
  /** Its name in the record of observations. */
  readonly name: string
  /** Of RELIABILITY's appendix: where it comes from. */
  readonly experiment: string
  /** `long`: takes more than a minute. `last`: it kills the broker. */
  readonly when?: 'long' | 'last'
  /** What is known of Kafka, and relied upon. */
  readonly documented: Observation
  run(lab: Lab): Promise<Observation>
}

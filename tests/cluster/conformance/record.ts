import { readFileSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Observation } from './scenario.js'

/** What real brokers have shown, for those who have none at hand. */
interface Recorded {
  /** The versions that have shown just this. */
  readonly kafka: readonly string[]
  readonly observations: { readonly [scenario: string]: Observation }
}

const file = new URL('observed.oracle.json', import.meta.url)

export const recorded: Recorded = JSON.parse(readFileSync(file, 'utf8'))

/** Adds a version to those that have shown the same, or replaces what is recorded. */
export function record(version: string, observations: Recorded['observations']): void {
  const others = isDeepStrictEqual(observations, recorded.observations) ? recorded.kafka : []
  const kafka = [...new Set([...others, version])].sort()
  writeFileSync(file, `${JSON.stringify({ kafka, observations }, null, 2)}\n`)
}

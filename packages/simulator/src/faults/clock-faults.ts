import { between, chance, pick } from '../cluster/draw.js'
import { type Fault, namesOf, someHosts } from './fault.js'

/** What can be wrong with clocks. At the end a time server puts them right, in one step. */
export const clockFaults = {
  'clock-skew': {
    everyMs: 60_000,
    lastsMs: [20_000, 200_000],
    strike(cluster, random) {
      const hosts = someHosts(cluster, random)
      for (const { machine } of hosts) machine.clock.offsetMs += between(random, -3_000, 3_000)
      return {
        detail: namesOf(hosts),
        end: () => {
          for (const { machine } of hosts) machine.clock.synchronize()
        },
      }
    },
  },
  'clock-step': {
    everyMs: 90_000,
    lastsMs: [2_000, 90_000],
    strike(cluster, random) {
      const hosts = someHosts(cluster, random)
      const sizeMs = pick(random, [10_000, 60_000, 600_000, 3_600_000])
      const stepMs = between(random, 0.5, 1) * (chance(random, 0.5) ? sizeMs : -sizeMs)
      for (const { machine } of hosts) machine.clock.offsetMs += stepMs
      return {
        detail: `${namesOf(hosts)} by ${Math.round(stepMs)} ms`,
        end: () => {
          for (const { machine } of hosts) machine.clock.synchronize()
        },
      }
    },
  },
  'clock-drift': {
    everyMs: 60_000,
    lastsMs: [30_000, 200_000],
    strike(cluster, random) {
      const hosts = someHosts(cluster, random)
      for (const { machine } of hosts) machine.clock.driftPpm = between(random, -20_000, 20_000)
      return {
        detail: namesOf(hosts),
        end: () => {
          for (const { machine } of hosts) machine.clock.synchronize()
        },
      }
    },
  },
  /** The clock of the lease store, which nodes hold theirs against. */
  'lease-clock': {
    everyMs: 120_000,
    lastsMs: [5_000, 120_000],
    strike({ leases }, random) {
      leases.clock.offsetMs += between(random, -20_000, 20_000)
      return { detail: 'the lease store', end: () => leases.clock.synchronize() }
    },
  },
} as const satisfies { readonly [name: string]: Fault }

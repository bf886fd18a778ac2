import { between, chance } from '../draw.js'
import type { ClockState } from '../stepped-clock.js'
import { rightClock } from '../stepped-clock.js'
import { type ChaosWorld, type Fault, type Machine, namesOf, type Strike, someMachines } from './fault.js'

function set(machines: readonly Machine[], state: ClockState): Strike {
  for (const { host } of machines) host.setClock(state)
  return {
    detail: `${namesOf(machines)}: ${state.offsetMs} ms, ${Math.round(state.driftPpm)} ppm`,
    end: () => {
      for (const { host } of machines) host.setClock(rightClock)
    },
  }
}

const hourMs = 3_600_000
const stepped =
  (offsetMs: number): Fault['strike'] =>
  (world: ChaosWorld, random) =>
    set(someMachines(world, random), { offsetMs, driftPpm: 0 })

/** What can be wrong with the clocks of nodes. In the end a time server puts them right, in one step. */
export const clockFaults = {
  'clock-ahead': {
    does: 'clocks of nodes jump ahead by an hour',
    lastsMs: [2_000, 15_000],
    strike: stepped(hourMs),
  },
  'clock-behind': {
    does: 'clocks of nodes jump back by an hour',
    lastsMs: [2_000, 15_000],
    strike: stepped(-hourMs),
  },
  'clock-drift': {
    does: 'clocks of nodes run faster or slower, by 0.5 to 2 %',
    lastsMs: [10_000, 30_000],
    strike(world, random) {
      const driftPpm = between(random, 5_000, 20_000) * (chance(random, 0.5) ? 1 : -1)
      return set(someMachines(world, random), { offsetMs: 0, driftPpm })
    },
  },
} as const satisfies { readonly [name: string]: Fault }

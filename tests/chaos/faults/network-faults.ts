import type { Random } from '@almanac/engine'
import { between } from '../draw.js'
import type { Relay } from '../relay.js'
import { type ChaosWorld, type Fault, type Machine, namesOf, type Strike, someMachines } from './fault.js'

/** Spoils the ways of some nodes to one server, and makes them good again. */
function spoiled(
  world: ChaosWorld,
  random: Random,
  relaysOf: (machine: Machine) => readonly Relay[],
  spoil: (relay: Relay) => void,
): Strike {
  const machines = someMachines(world, random)
  const relays = machines.flatMap(relaysOf)
  for (const relay of relays) spoil(relay)
  return {
    detail: namesOf(machines),
    end: () => {
      for (const relay of relays) relay.heal()
    },
  }
}

const toLeases = ({ leases }: Machine) => leases
const toLog = ({ eventLog }: Machine) => (eventLog === undefined ? [] : [eventLog])

/** What can be wrong between nodes and servers. */
export const networkFaults = {
  'cut-leases': {
    does: 'nodes can not reach Redis, and hear so at once',
    lastsMs: [2_000, 20_000],
    strike: (world, random) => spoiled(world, random, toLeases, (relay) => relay.cut()),
  },
  'silent-leases': {
    does: 'nothing gets through between nodes and Redis, and nobody is told',
    lastsMs: [2_000, 20_000],
    strike: (world, random) => spoiled(world, random, toLeases, (relay) => relay.silence()),
  },
  'cut-log': {
    does: 'nodes can not reach the event log, and hear so at once',
    lastsMs: [2_000, 15_000],
    needsLogServer: true,
    strike: (world, random) => spoiled(world, random, toLog, (relay) => relay.cut()),
  },
  'silent-log': {
    does: 'nothing gets through between nodes and the event log',
    lastsMs: [2_000, 15_000],
    needsLogServer: true,
    strike: (world, random) => spoiled(world, random, toLog, (relay) => relay.silence()),
  },
  'slow-log': {
    does: 'messages between nodes and the event log take up to 1.5 s each way',
    lastsMs: [3_000, 15_000],
    needsLogServer: true,
    strike(world, random) {
      const ms = Math.round(between(random, 50, 1_500))
      return spoiled(world, random, toLog, (relay) => relay.delay(ms))
    },
  },
} as const satisfies { readonly [name: string]: Fault }

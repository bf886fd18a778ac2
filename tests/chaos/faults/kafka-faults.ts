import type { Random } from '@almanac/engine'
import type { Fault as RequestFault } from '@almanac/infra'
import { between, chance } from '../draw.js'
import { type ChaosWorld, type Fault, type Machine, namesOf, type Strike, someMachines } from './fault.js'

type LinkState = Machine['kafka']['linkState']

function spoiled(
  world: ChaosWorld,
  random: Random,
  changes: Partial<LinkState>,
  undone: Partial<LinkState>,
  cuts = false,
): Strike {
  const machines = someMachines(world, random)
  for (const { kafka } of machines) {
    kafka.changeLink(changes)
    if (cuts) kafka.cut()
  }
  return {
    detail: namesOf(machines),
    end: () => {
      for (const { kafka } of machines) kafka.changeLink(undone)
    },
  }
}

/** Aims at requests of every node: which one it hits is who ticks first. */
function aimed(
  { machines }: ChaosWorld,
  random: Random,
  aim: (machine: Machine, options: { readonly times: number; readonly thenResets: boolean }) => RequestFault,
): Strike {
  const options = { times: 2, thenResets: chance(random, 0.5) }
  const faults: RequestFault[] = []
  const order = () => void faults.push(...machines.map((machine) => aim(machine, options)))
  order()
  return {
    detail: options.thenResets ? 'and the connection is reset' : 'and nobody is told',
    hits: () => faults.reduce((sum, { hits }) => sum + hits, 0),
    // A request is used up whose broker was gone: no answer of it could be lost.
    again: order,
    end: () => {
      for (const fault of faults) fault.end()
    },
  }
}

/** What can happen between nodes and the broker. */
export const kafkaFaults = {
  'cut-kafka': {
    does: 'nodes can not reach the broker, and hear so at once',
    lastsMs: [2_000, 15_000],
    strike: (world, random) => spoiled(world, random, { refusesNew: true }, { refusesNew: false }, true),
  },
  'silent-kafka': {
    does: 'nothing gets through between nodes and the broker, one way or both',
    lastsMs: [2_000, 15_000],
    strike(world, random) {
      const way = chance(random, 0.5) ? 'both' : chance(random, 0.5) ? 'to-broker' : 'to-client'
      return spoiled(world, random, { blackhole: way }, { blackhole: 'none' })
    },
  },
  'slow-kafka': {
    does: 'messages between nodes and the broker take up to 1 s each way',
    lastsMs: [3_000, 15_000],
    strike(world, random) {
      const change = { latencyMs: between(random, 20, 700), jitterMs: between(random, 5, 300) }
      return spoiled(world, random, change, { latencyMs: 0, jitterMs: 0 })
    },
  },
  'commit-answer-lost': {
    needsProgress: true,
    does: 'the end of a transaction is done, and its answer is lost',
    lastsMs: [2_000, 6_000],
    strike: (world, random) =>
      aimed(world, random, ({ kafka }, options) => kafka.faults.loseAnswer({ api: 'EndTxn' }, options)),
  },
  'commit-request-lost': {
    needsProgress: true,
    does: 'the end of a transaction is lost on its way',
    lastsMs: [2_000, 6_000],
    strike: (world, random) =>
      aimed(world, random, ({ kafka }, options) => kafka.faults.loseRequest({ api: 'EndTxn' }, options)),
  },
  'commit-delayed': {
    needsProgress: true,
    does: 'the end of a transaction arrives long after its sender gave up, in the time of the next owner',
    lastsLeases: [1.5, 2.2],
    strike(world, random, lastsMs) {
      const ms = between(random, 0.3, 0.9) * lastsMs
      return aimed(world, random, ({ kafka }) => kafka.faults.holdRequest({ api: 'EndTxn' }, ms))
    },
  },
  'produce-answer-lost': {
    needsProgress: true,
    does: 'records are appended in a transaction, and the answer is lost',
    lastsMs: [2_000, 6_000],
    strike: (world, random) =>
      aimed(world, random, ({ kafka }, options) => kafka.faults.loseAnswer({ api: 'Produce' }, options)),
  },
} as const satisfies { readonly [name: string]: Fault }

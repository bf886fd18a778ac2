import type { Random } from '@almanac/engine'
import type { KafkaProxy, KafkaServer, RedisServer } from '@almanac/infra'
import { chance, pick } from '../draw.js'
import type { NodeHost } from '../node-host.js'
import type { Relay } from '../relay.js'
import type { Killable, ServerHost } from '../server-host.js'

/** A node with its ways to the servers. */
export interface Machine {
  readonly host: NodeHost
  readonly kafka: KafkaProxy
  /** One for each Redis, in the order of the servers. */
  readonly leases: readonly Relay[]
  /** Undefined: the event log is a file. */
  readonly eventLog: Relay | undefined
}

/** All that faults can be done to. */
export interface ChaosWorld {
  readonly machines: readonly Machine[]
  readonly kafka: ServerHost<KafkaServer>
  readonly leases: readonly ServerHost<RedisServer>[]
  /** Undefined: the event log is a file. */
  readonly eventLog: ServerHost<Killable> | undefined
  /** A process that is none of the cluster's own, with the node id and the links of one that is. */
  twinOf(machine: Machine): NodeHost
  /** Calls once, when the next run is seen to be committed, unless the function that comes back was called before. */
  onNextRun(call: () => void): () => void
  /** Something that must not be, seen while a fault was done. */
  found(rule: string, message: string): void
}

/** Something that was done. */
export interface Strike {
  /** What was hit, for people. */
  readonly detail: string
  /** How often it has hit something so far. Absent: once. */
  readonly hits?: () => number
  /** Tries once more, when nothing was hit: what it was aimed at may have been gone. */
  readonly again?: () => void
  /** Makes it good. Absent: it was over at once. */
  readonly end?: () => Promise<void> | void
}

/** One kind of trouble. */
export interface Fault {
  /** For people: what happens. */
  readonly does: string
  /** How long a strike lasts: from, to. Milliseconds; in a short run it is less. */
  readonly lastsMs?: readonly [from: number, to: number]
  /** The same in times of a lease, for what has to last longer than one. */
  readonly lastsLeases?: readonly [from: number, to: number]
  /** It hits what nodes are doing: they have to be doing something. */
  readonly needsProgress?: boolean
  /** There is no such thing when the event log is a file. */
  readonly needsLogServer?: boolean
  /** Undefined: there is nothing to hit just now. */
  strike(world: ChaosWorld, random: Random, lastsMs: number): Strike | undefined
}

/** A node that runs now, of those that own partitions. */
export function awakeMachine({ machines }: ChaosWorld, random: Random): Machine | undefined {
  const awake = machines.filter(({ host }) => host.isReady && !host.isApi)
  return awake.length === 0 ? undefined : pick(random, awake)
}

/** One node, or all of them now and then. */
export function someMachines({ machines }: ChaosWorld, random: Random): readonly Machine[] {
  if (chance(random, 0.2)) return machines
  return [pick(random, machines)]
}

export const namesOf = (machines: readonly Machine[]): string =>
  machines.map(({ host }) => host.name).join(', ')

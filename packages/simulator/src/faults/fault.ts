import type { Random } from '@almanac/engine'
import type { Cluster } from '../cluster/cluster.js'
import { pick } from '../cluster/draw.js'
import type { NodeHost } from '../cluster/node-host.js'

/** Something that was done to the cluster. */
export interface Strike {
  /** What was hit, for people. */
  readonly detail: string
  /** Makes it good; absent: it is over by itself within its time. */
  readonly end?: () => void
}

/** One kind of trouble. */
export interface Fault {
  /** Mean time between two strikes; a seed may make it shorter or longer. Milliseconds. */
  readonly everyMs: number
  /** How long a strike lasts: from, to. Milliseconds. */
  readonly lastsMs: readonly [from: number, to: number]
  /** Fewer seeds have it: it outdoes all others. */
  readonly isRare?: boolean
  /** Undefined: there is nothing to hit just now. */
  strike(cluster: Cluster, random: Random, lastsMs: number): Strike | undefined
  /** Done when all else is healed, and not undone: the cluster has to live with it. Answers what was hit. */
  strikeForGood?(cluster: Cluster, random: Random): string | undefined
}

/** A node that runs now; one that schedules three times out of four. */
export function runningHost({ hosts }: Cluster, random: Random): NodeHost | undefined {
  const running = hosts.filter(({ isUp }) => isUp)
  const scheduling = running.filter(({ isApi }) => !isApi)
  const among = scheduling.length > 0 && random.next() < 0.75 ? scheduling : running
  return among.length === 0 ? undefined : pick(random, among)
}

/** Any node, running or not: for what belongs to its machine and its links. */
export const anyHost = ({ hosts }: Cluster, random: Random): NodeHost => pick(random, hosts)

/** One node, or all of them now and then. */
export const someHosts = (cluster: Cluster, random: Random): readonly NodeHost[] =>
  random.next() < 0.25 ? cluster.hosts : [anyHost(cluster, random)]

export const namesOf = (hosts: readonly NodeHost[]): string => hosts.map(({ name }) => name).join(', ')

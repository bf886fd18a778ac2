import type { Position } from '@almanac/domain'
import { isOwnedHere, type PartitionStatus } from '@almanac/engine'
import type { HistoryRecord, Rule, Violation } from '@almanac/history'
import type { Instant } from '@almanac/recurrence'
import type { Cluster } from '../cluster/cluster.js'
import type { NodeHost } from '../cluster/node-host.js'
import { ViewFold } from './views.js'

/** What is looked at in running nodes, where no history can show it. */
export const liveRules = [
  'views-differ',
  'not-owned',
  'owned-twice',
  'stuck',
  'not-ready',
  'chores-left',
  'fatal',
  'not-ended',
  'deleted-early',
  'world-failure',
  'against-lease',
  'blind-tick',
  'unreadable',
] as const
export type LiveRule = (typeof liveRules)[number]

export interface Finding {
  readonly rule: Rule | LiveRule
  readonly message: string
  /** True time; null: not one moment. */
  readonly at: Instant | null
  readonly partition: number | null
  readonly taskId: string | null
}

export const findingOf = ({ rule, message, at, partition, taskId }: Violation): Finding => ({
  rule,
  message,
  at,
  partition,
  taskId,
})

/** Looks at a cluster from outside, between two actions of its world. */
export class LiveChecks {
  readonly findings: Finding[] = []
  private readonly cluster: Cluster

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  /** A node's read models are what the log says, wherever they are in it. */
  viewsOf(host: NodeHost, fold = new ViewFold()): void {
    const position = host.disk.position()
    fold.upTo(this.cluster.eventLog.all(), position)
    for (const message of fold.differences(host.disk).slice(0, 3)) {
      this.found('views-differ', `${host.name}: ${message}`)
    }
  }

  /** The calm has lasted: everything has come right without hands. `settled`: where the log ended a while ago. */
  atEnd(settled: Position, idleCheckpointMs: number): void {
    const { cluster } = this
    const fold = new ViewFold()
    const hosts = [...this.expected()].sort((a, b) => a.disk.position() - b.disk.position())
    for (const host of hosts) {
      const status = host.node?.status()
      if (status?.ready !== true || status.problem !== null) {
        this.found('not-ready', `${host.name} is ${status?.problem ?? 'not up'}`)
      } else if (status.viewPosition < settled) {
        this.found('stuck', `${host.name} reads at position ${status.viewPosition}, behind ${settled}`)
      } else {
        this.viewsOf(host, fold)
      }
    }
    for (let partition = 0; partition < cluster.shape.partitions; partition++) {
      this.ownedOnce(partition, idleCheckpointMs)
    }
  }

  /** The nodes that have to be whole. */
  private expected(): readonly NodeHost[] {
    const { hosts, lame } = this.cluster
    return hosts.filter((host) => host !== lame)
  }

  private ownedOnce(partition: number, idleCheckpointMs: number): void {
    const { world } = this.cluster
    const owners = this.expected().flatMap((host) => {
      const status = host.node?.status().partitions[partition]
      return status !== undefined && isOwnedHere(status) ? [{ host, status }] : []
    })
    const names = owners.map(({ host }) => host.name).join(' and ')
    if (owners.length === 0) this.found('not-owned', `nobody owns partition ${partition}`, partition)
    if (owners.length > 1) this.found('owned-twice', `${names} own partition ${partition}`, partition)
    for (const { host, status } of owners) {
      const idleMs = world.now - reachedOf(status)
      if (idleMs <= idleCheckpointMs + stuckAfterMs) continue
      this.found(
        'stuck',
        `${host.name} decided nothing in partition ${partition} for ${idleMs} ms`,
        partition,
      )
    }
  }

  /** Nodes had nothing left to do a moment ago, and have nothing now. */
  choresLeft(before: ReadonlyMap<NodeHost, number>): void {
    for (const [host, count] of this.chores()) {
      if (count > 0 && (before.get(host) ?? 0) > 0)
        this.found('chores-left', `${host.name} has ${count} left`)
    }
  }

  chores(): ReadonlyMap<NodeHost, number> {
    return new Map(
      this.expected().flatMap((host) => {
        const waiting = host.node?.status().counters.chores_waiting
        return waiting === undefined ? [] : [[host, waiting] as const]
      }),
    )
  }

  /** Whoever was asked to end has ended by now. */
  allEnded(): void {
    for (const host of this.expected()) {
      if (host.isUp) this.found('not-ended', `${host.name} was asked to end and runs on`)
    }
  }

  /** What was seen by watching the calls of nodes. */
  watched(history: readonly HistoryRecord[], staleLimitMs: number): void {
    const { watch } = this.cluster
    watch.judgeTicks(history, staleLimitMs)
    for (const finding of watch.found) this.findings.push({ ...finding, taskId: null })
  }

  fatal(): void {
    for (const { node, at, fault } of this.cluster.fatal) {
      const message = fault instanceof Error ? fault.message : String(fault)
      this.findings.push({ rule: 'fatal', message: `${node}: ${message}`, at, partition: null, taskId: null })
    }
  }

  found(rule: LiveRule, message: string, partition: number | null = null): void {
    this.findings.push({ rule, message, at: this.cluster.world.now, partition, taskId: null })
  }
}

const reachedOf = ({ evaluatedAt }: PartitionStatus): Instant => evaluatedAt ?? 0

/** A checkpoint may be late by as much. */
const stuckAfterMs = 10_000

import type { Position } from '@almanac/domain'
import { isOwnedHere, type NodeStatus } from '../application.js'
import { metricCatalogue, type Observe, type ObservedName } from '../ports/metrics.js'
import type { Telemetry } from '../ports/telemetry.js'

interface NodeReadings {
  readonly status: () => NodeStatus
  /** Newest position of the log that the node has heard of. */
  readonly newest: () => Position
  /** Leases that it holds; undefined: there are none to hold. */
  readonly leases: () => number | undefined
  /** How far this machine's clock is outside of what each source allows, in milliseconds. */
  readonly clockOffsets: () => ReadonlyMap<string, number>
}

const isObserved = (name: string): name is ObservedName =>
  Object.hasOwn(metricCatalogue, name) &&
  ['total', 'gauge'].includes(metricCatalogue[name as ObservedName].kind)

/** Tells what a node knows of itself whenever the metrics are read. Returns a function that ends it. */
export function observeNode(telemetry: Telemetry, readings: NodeReadings): () => void {
  // A counter that is there from the start grows from 0: an alert sees the first one too.
  for (const reason of ['misfire', 'quarantined']) telemetry.count('missed_total', 0, { reason })
  return telemetry.observe((observe) => {
    const status = readings.status()
    const head = Math.max(status.head, readings.newest())
    observe('ready', status.ready ? 1 : 0)
    observe('started_at_seconds', status.startedAt / 1_000)
    observe('log_head_position', head)
    observe('view_position', status.viewPosition)
    observe('config_lag_positions', head - status.viewPosition)
    for (const [state, count] of Object.entries(status.tasks)) observe('tasks', count, { state })
    for (const [name, count] of Object.entries(status.runs)) observe('runs', count, { status: name })
    for (const [name, value] of Object.entries(status.counters)) {
      if (isObserved(name)) observe(name, value)
    }
    const leases = readings.leases()
    if (leases !== undefined) observe('leases_held', leases)
    for (const [source, offsetMs] of readings.clockOffsets()) {
      observe('clock_offset_seconds', offsetMs / 1_000, { source })
    }
    observePartitions(status, observe)
  })
}

function observePartitions({ partitions, now }: NodeStatus, observe: Observe): void {
  const own = partitions.filter(isOwnedHere)
  observe('partitions_owned', own.length)
  for (const { partition, nextDueAt } of own) {
    const overdue = nextDueAt === null ? 0 : Math.max(0, now - nextDueAt) / 1_000
    observe('partition_behind_seconds', overdue, { partition: String(partition) })
  }
  // Of all partitions: of one that nobody owns, everybody tells how old its checkpoint is.
  for (const { partition, evaluatedAt } of partitions) {
    if (evaluatedAt === null) continue
    observe('checkpoint_age_seconds', Math.max(0, now - evaluatedAt) / 1_000, {
      partition: String(partition),
    })
  }
}

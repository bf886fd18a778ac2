import { describe, expect, it } from 'vitest'
import type { NodeStatus, PartitionStatus } from '../application.js'
import { observeNode } from './node-metrics.js'
import { RecordingTelemetry } from './recording-telemetry.spec-support.js'

const partition = (more: Partial<PartitionStatus>): PartitionStatus => ({
  partition: 0,
  owner: 'n1',
  term: 1,
  seq: 1,
  position: 1,
  cursorAt: 1_000,
  evaluatedAt: 40_000,
  tasks: 1,
  nextDueAt: null,
  ...more,
})

const status: NodeStatus = {
  nodeId: 'n1',
  cluster: 'c',
  engineVersion: '1',
  startedAt: 5_500,
  now: 100_000,
  ready: true,
  problem: null,
  head: 40,
  viewPosition: 40,
  members: [],
  partitions: [
    partition({ partition: 0, nextDueAt: 97_500 }),
    partition({ partition: 1, nextDueAt: 200_000, evaluatedAt: 99_000 }),
    // Its own too, somebody else's, and one that nobody has ever owned.
    partition({ partition: 2 }),
    partition({ partition: 3, owner: 'n2', tasks: null, evaluatedAt: 10_000 }),
    partition({ partition: 4, owner: null, tasks: null, evaluatedAt: null }),
  ],
  counters: { ticks_total: 3, chores_waiting: 2, not_in_the_catalogue: 1, lateness_seconds: 5 },
  tasks: { tasks: 4, enabled: 3, quarantined: 1 },
  runs: { queued: 2 },
}

describe('the metrics of a node', () => {
  it('tell what it knows of itself when they are read', () => {
    const telemetry = new RecordingTelemetry()
    const forget = observeNode(telemetry, {
      status: () => status,
      newest: () => 44,
      leases: () => 2,
      clockOffsets: () => new Map([['leases', -250]]),
    })
    expect(Object.fromEntries(telemetry.read())).toEqual({
      'ready{}': 1,
      'started_at_seconds{}': 5.5,
      'log_head_position{}': 44,
      'view_position{}': 40,
      'config_lag_positions{}': 4,
      'tasks{"state":"tasks"}': 4,
      'tasks{"state":"enabled"}': 3,
      'tasks{"state":"quarantined"}': 1,
      'runs{"status":"queued"}': 2,
      'ticks_total{}': 3,
      'chores_waiting{}': 2,
      'leases_held{}': 2,
      'clock_offset_seconds{"source":"leases"}': -0.25,
      'partitions_owned{}': 3,
      'partition_behind_seconds{"partition":"0"}': 2.5,
      'partition_behind_seconds{"partition":"1"}': 0,
      'partition_behind_seconds{"partition":"2"}': 0,
      'checkpoint_age_seconds{"partition":"0"}': 60,
      'checkpoint_age_seconds{"partition":"1"}': 1,
      'checkpoint_age_seconds{"partition":"2"}': 60,
      'checkpoint_age_seconds{"partition":"3"}': 90,
    })
    forget()
    expect(telemetry.read().size).toBe(0)
  })

  it('have what an alert waits for from the start, as 0', () => {
    const telemetry = new RecordingTelemetry()
    const none = { newest: () => 0, leases: () => undefined, clockOffsets: () => new Map<string, number>() }
    observeNode(telemetry, { status: () => status, ...none })
    expect(telemetry.told).toEqual([
      { name: 'missed_total', value: 0, labels: { reason: 'misfire' } },
      { name: 'missed_total', value: 0, labels: { reason: 'quarantined' } },
    ])
    expect([...telemetry.read().keys()].filter((key) => /lease|clock_offset/.test(key))).toEqual([])
  })
})

import { between, chance, whole } from '../cluster/draw.js'
import { anyHost, type Fault, runningHost } from './fault.js'

/** What can be wrong with the lease store and the event log themselves. */
export const serviceFaults = {
  'leases-down': {
    everyMs: 100_000,
    lastsMs: [2_000, 150_000],
    strike({ leases }, _, lastsMs) {
      leases.restart(lastsMs)
      return { detail: `for ${lastsMs} ms, then empty` }
    },
  },
  'leases-flush': {
    everyMs: 60_000,
    lastsMs: [0, 0],
    strike({ leases }) {
      leases.flush()
      return { detail: 'everything forgotten' }
    },
  },
  'leases-lying': {
    everyMs: 100_000,
    lastsMs: [5_000, 120_000],
    strike({ leases }) {
      leases.faults.isLying = true
      return {
        detail: 'everybody gets every lease',
        end: () => {
          leases.faults.isLying = false
        },
      }
    },
  },
  'leases-frozen': {
    everyMs: 100_000,
    lastsMs: [5_000, 60_000],
    strike({ leases }, random) {
      leases.faults.frozenMs = between(random, 200, 15_000)
      return {
        detail: `${Math.round(leases.faults.frozenMs)} ms an answer`,
        end: () => {
          leases.faults.frozenMs = 0
        },
      }
    },
  },
  'log-down': {
    everyMs: 100_000,
    lastsMs: [500, 120_000],
    strike({ eventLog }, _, lastsMs) {
      eventLog.crash(lastsMs)
      return { detail: `for ${lastsMs} ms` }
    },
  },
  /** Crashes again and again while its disk is slow: what was not on it is gone, and was promised to nobody. */
  'log-torn': {
    everyMs: 90_000,
    lastsMs: [4_000, 30_000],
    strike({ eventLog, world }, random) {
      eventLog.faults.flushMs = between(random, 20, 500)
      let isOver = false
      const crash = (): void => {
        if (isOver) return
        eventLog.crash(between(random, 50, 1_000))
        world.after(between(random, 1_000, 6_000), crash)
      }
      world.after(between(random, 500, 3_000), crash)
      return {
        detail: `${Math.round(eventLog.faults.flushMs)} ms to the disk, with crashes`,
        end: () => {
          isOver = true
          eventLog.faults.flushMs = 0
        },
      }
    },
  },
  'log-slow': {
    everyMs: 80_000,
    lastsMs: [3_000, 60_000],
    strike({ world, eventLog }, random) {
      const state = world.network.service(eventLog.name)
      state.slowMs = between(random, 20, chance(random, 0.3) ? 4_000 : 700)
      return {
        detail: `${Math.round(state.slowMs)} ms a request`,
        end: () => {
          state.slowMs = 0
        },
      }
    },
  },
  'log-full': {
    everyMs: 120_000,
    lastsMs: [2_000, 60_000],
    strike({ eventLog }) {
      eventLog.faults.isFull = true
      return {
        detail: 'no append',
        end: () => {
          eventLog.faults.isFull = false
        },
      }
    },
  },
  /** A node reads from a server that no longer leads. */
  'log-stale': {
    everyMs: 60_000,
    lastsMs: [500, 10_000],
    strike(cluster, random, lastsMs) {
      const { name } = anyHost(cluster, random)
      const positions = whole(random, 0, 5)
      cluster.eventLog.staleFor(name, positions, lastsMs)
      return { detail: `${name}, ${positions} positions behind, for ${lastsMs} ms` }
    },
  },
  /** Appends are done, and answered too late or never. */
  'append-unknown': {
    everyMs: 50_000,
    lastsMs: [3_000, 40_000],
    strike(cluster, random) {
      const host = runningHost(cluster, random)
      if (host === undefined) return undefined
      const rate = between(random, 0.1, 0.6)
      const end = host.aimAt(({ label }) =>
        label === 'append' && chance(random, rate) ? { kind: 'answer-lost' } : undefined,
      )
      return { detail: host.name, end }
    },
  },
  'append-late': {
    everyMs: 80_000,
    lastsMs: [3_000, 40_000],
    strike({ eventLog }, random) {
      eventLog.faults.lateAnswerMs = between(random, 100, 9_000)
      return {
        detail: `up to ${Math.round(eventLog.faults.lateAnswerMs)} ms`,
        end: () => {
          eventLog.faults.lateAnswerMs = 0
        },
      }
    },
  },
  'append-delayed': {
    everyMs: 80_000,
    lastsMs: [3_000, 40_000],
    strike(cluster, random) {
      const host = runningHost(cluster, random)
      if (host === undefined) return undefined
      const end = host.aimAt(({ label }) =>
        label === 'append' && chance(random, 0.3)
          ? { kind: 'delayed', ms: between(random, 100, 20_000) }
          : undefined,
      )
      return { detail: host.name, end }
    },
  },
  'subscription-slow': {
    everyMs: 60_000,
    lastsMs: [5_000, 60_000],
    strike(cluster, random) {
      const { name } = anyHost(cluster, random)
      const ms = between(random, 100, 5_000)
      cluster.eventLog.slowFor(name, ms)
      return { detail: `${name} by ${Math.round(ms)} ms`, end: () => cluster.eventLog.slowFor(name, 0) }
    },
  },
  'subscription-repeats': {
    everyMs: 60_000,
    lastsMs: [20_000, 120_000],
    strike({ eventLog }) {
      eventLog.faults.repeating = 0.7
      return {
        detail: 'new subscriptions begin too early',
        end: () => {
          eventLog.faults.repeating = 0
        },
      }
    },
  },
} as const satisfies { readonly [name: string]: Fault }

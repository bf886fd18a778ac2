import { between, chance, pick, whole } from '../cluster/draw.js'
import { type Fault, runningHost } from './fault.js'

/** Processes end, stand still, and come back. Whoever ends is started again by its supervisor. */
export const processFaults = {
  crash: {
    everyMs: 40_000,
    lastsMs: [0, 0],
    strike(cluster, random) {
      const host = runningHost(cluster, random)
      host?.kill()
      return host === undefined ? undefined : { detail: host.name }
    },
  },
  'crash-at-await': {
    everyMs: 40_000,
    lastsMs: [0, 0],
    strike(cluster, random) {
      const host = runningHost(cluster, random)
      const awaits = whole(random, 1, chance(random, 0.5) ? 30 : 1_000)
      host?.process?.crashAtAwait(awaits)
      return host === undefined ? undefined : { detail: `${host.name} at await ${awaits}` }
    },
  },
  /** Before an append is sent, or when its answer comes: a command ends between two of its events. */
  'crash-at-append': {
    everyMs: 40_000,
    lastsMs: [5_000, 20_000],
    strike(cluster, random) {
      const host = runningHost(cluster, random)
      if (host === undefined) return undefined
      let left = whole(random, 1, 3)
      const forget = host.aimAt(({ label }) => {
        if (label === 'append') left -= 1
        if (label === 'append' && left === 0) host.process?.crashAtAwait(whole(random, 1, 2))
        return undefined
      })
      return { detail: `${host.name} at append ${left}`, end: forget }
    },
  },
  blackout: {
    everyMs: 300_000,
    lastsMs: [20_000, 240_000],
    isRare: true,
    strike(cluster) {
      for (const host of cluster.hosts) {
        cluster.keptDown.add(host)
        host.kill()
      }
      return { detail: 'all nodes', end: () => cluster.keptDown.clear() }
    },
  },
  'pause-short': {
    everyMs: 30_000,
    lastsMs: [50, 8_000],
    strike(cluster, random, lastsMs) {
      const host = runningHost(cluster, random)
      host?.process?.pause(lastsMs)
      return host === undefined ? undefined : { detail: `${host.name} for ${lastsMs} ms` }
    },
  },
  'pause-long': {
    everyMs: 90_000,
    lastsMs: [10_000, 70_000],
    strike(cluster, random, lastsMs) {
      const host = runningHost(cluster, random)
      host?.process?.pause(lastsMs)
      return host === undefined ? undefined : { detail: `${host.name} for ${lastsMs} ms` }
    },
  },
  /** Between the records of a transaction and its end, for longer than the broker waits. */
  'pause-in-transaction': {
    everyMs: 60_000,
    lastsMs: [8_000, 30_000],
    strike(cluster, random, lastsMs) {
      const host = runningHost(cluster, random)
      if (host === undefined) return undefined
      const label = pick(random, ['AddPartitionsToTxn', 'Produce', 'EndTxn'])
      let isOver = false
      const forget = host.aimAt((call) => {
        if (isOver || call.label !== label) return undefined
        isOver = true
        host.process?.pause(lastsMs / 2)
        return undefined
      })
      return { detail: `${host.name} at ${label} for ${lastsMs / 2} ms`, end: forget }
    },
  },
  /** Between asking for a lease and hearing the answer: by then it may be somebody else's. */
  'pause-at-lease': {
    everyMs: 60_000,
    lastsMs: [12_000, 40_000],
    strike(cluster, random, lastsMs) {
      const host = runningHost(cluster, random)
      if (host === undefined) return undefined
      let isOver = false
      const forget = host.aimAt((call) => {
        if (isOver || call.label !== 'acquire') return undefined
        isOver = true
        host.process?.pause(lastsMs)
        return undefined
      })
      return { detail: `${host.name} for ${lastsMs} ms`, end: forget }
    },
  },
  leave: {
    everyMs: 60_000,
    lastsMs: [0, 0],
    strike(cluster, random) {
      const host = runningHost(cluster, random)
      host?.terminate(20_000)
      return host === undefined ? undefined : { detail: host.name }
    },
  },
  /** Whoever owns a partition is killed every few seconds. */
  'election-storm': {
    everyMs: 200_000,
    lastsMs: [15_000, 90_000],
    isRare: true,
    strike(cluster, random) {
      let isOver = false
      const everyMs = between(random, 2_000, 8_000)
      const kill = (): void => {
        if (isOver) return
        const owner = cluster.hosts.find(({ node }) => node?.owns(0) === true)
        owner?.kill()
        cluster.world.after(everyMs, kill)
      }
      kill()
      return {
        detail: `the owner of partition 0 every ${Math.round(everyMs)} ms`,
        end: () => {
          isOver = true
        },
      }
    },
  },
  /** A second process with the configuration of another. */
  twin: {
    everyMs: 150_000,
    lastsMs: [10_000, 90_000],
    strike(cluster, random) {
      const shape = pick(random, cluster.shape.nodes)
      const twin = cluster.hostOf(shape, `${shape.nodeId}-twin`)
      twin.start()
      return { detail: shape.nodeId, end: () => twin.kill() }
    },
  },
  'worker-crash': {
    everyMs: 60_000,
    lastsMs: [0, 0],
    strike({ workers }, random) {
      pick(random, workers).kill()
      return { detail: 'a worker' }
    },
  },
  'views-wiped': {
    everyMs: 120_000,
    lastsMs: [0, 0],
    strike(cluster, random) {
      const host = runningHost(cluster, random)
      if (host === undefined) return undefined
      host.kill()
      host.wipe()
      return { detail: host.name }
    },
  },
  /** The disk is restored from a copy of some time ago. */
  'views-rolled-back': {
    everyMs: 120_000,
    lastsMs: [10_000, 120_000],
    strike(cluster, random) {
      const host = runningHost(cluster, random)
      if (host === undefined) return undefined
      const rollBack = host.snapshot()
      return {
        detail: host.name,
        end: () => {
          host.kill()
          rollBack()
        },
      }
    },
  },
} as const satisfies { readonly [name: string]: Fault }

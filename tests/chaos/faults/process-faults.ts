import type { Random } from '@almanac/engine'
import type { NodeHost } from '../node-host.js'
import { awakeMachine, type ChaosWorld, type Fault, type Strike } from './fault.js'

function killed(world: ChaosWorld, random: Random): Strike | undefined {
  const host = awakeMachine(world, random)?.host
  if (host === undefined) return undefined
  return { detail: host.name, end: host.kill() }
}

function paused(world: ChaosWorld, random: Random, lastsMs: number): Strike | undefined {
  const host = awakeMachine(world, random)?.host
  if (host === undefined) return undefined
  return { detail: `${host.name} for ${lastsMs} ms`, end: host.freeze() }
}

/** Processes end, stand still, and come back. */
export const processFaults = {
  crash: {
    does: 'a node is killed (SIGKILL), and started again within seconds',
    lastsMs: [200, 4_000],
    strike: killed,
  },
  'crash-away': {
    does: 'a node is killed, and stays away for longer than a lease',
    lastsLeases: [1.4, 2.4],
    strike: killed,
  },
  blackout: {
    does: 'all nodes are killed, and are away for a while',
    lastsMs: [3_000, 12_000],
    strike({ machines }) {
      const up = machines.filter(({ host }) => host.isUp)
      const ends = up.map(({ host }) => host.kill())
      return {
        detail: `${ends.length} nodes`,
        end: () => {
          for (const end of ends) end()
        },
      }
    },
  },
  'crash-at-run': {
    needsProgress: true,
    does: 'all nodes that schedule are killed in the moment in which a run is committed',
    lastsMs: [1_000, 4_000],
    strike(world) {
      const ends: (() => void)[] = []
      const forget = world.onNextRun(() => {
        const up = world.machines.filter(({ host }) => host.isUp && !host.isApi)
        ends.push(...up.map(({ host }) => host.kill()))
      })
      return {
        detail: 'as soon as one is seen',
        hits: () => ends.length,
        end: () => {
          forget()
          for (const end of ends) end()
        },
      }
    },
  },
  'pause-short': {
    does: 'a node stands still (SIGSTOP) for less than a lease',
    lastsMs: [500, 6_000],
    strike: paused,
  },
  'pause-long': {
    does: 'a node stands still for longer than a lease, and goes on',
    lastsLeases: [1.2, 2.2],
    strike: paused,
  },
  leave: {
    does: 'a node is asked to end (SIGTERM), gives its partitions back, and comes again',
    lastsMs: [2_000, 12_000],
    strike(world, random) {
      const host = awakeMachine(world, random)?.host
      if (host === undefined) return undefined
      const { left, comeBack } = leaving(host, world)
      return {
        detail: host.name,
        end: async () => {
          await left
          comeBack()
        },
      }
    },
  },
  twin: {
    does: 'a second process runs with the node id of another',
    lastsLeases: [1.2, 2.2],
    strike(world, random) {
      const machine = awakeMachine(world, random)
      if (machine === undefined) return undefined
      const twin = world.twinOf(machine)
      twin.start()
      return {
        detail: machine.host.name,
        end: async () => {
          await twin.end()
        },
      }
    },
  },
} as const satisfies { readonly [name: string]: Fault }

function leaving(host: NodeHost, world: ChaosWorld) {
  const { ended, comeBack } = host.terminate(endingMs)
  const left = ended.then((code) => {
    if (code === undefined)
      world.found('not-ended', `${host.name} was asked to end and ran on for ${endingMs} ms`)
    else if (code !== 0) world.found('not-ended', `${host.name} was asked to end and ended with ${code}`)
  })
  return { left, comeBack }
}

/** With brokers and leases out of reach it takes longer than the 5 s of a node that is well. */
const endingMs = 30_000

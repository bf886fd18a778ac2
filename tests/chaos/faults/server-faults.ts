import type { Random } from '@almanac/engine'
import { chance, shuffled } from '../draw.js'
import { ask } from '../redis-command.js'
import type { ServerHost } from '../server-host.js'
import type { ChaosWorld, Fault, Strike } from './fault.js'

/** Some of the lease servers: most often so many that no lease can be got. */
function someLeaseServers({ leases }: ChaosWorld, random: Random) {
  const count = chance(random, 0.25) ? 1 : Math.floor(leases.length / 2) + 1
  return shuffled(random, leases).slice(0, count)
}

type End = () => Promise<void> | void

function struck(
  servers: readonly ServerHost[],
  harm: (server: ServerHost) => End | undefined,
): Strike | undefined {
  const hit: { readonly name: string; readonly end: End }[] = []
  for (const server of servers) {
    const end = harm(server)
    if (end !== undefined) hit.push({ name: server.name, end })
  }
  if (hit.length === 0) return undefined
  return {
    detail: hit.map(({ name }) => name).join(', '),
    end: async () => {
      await Promise.all(hit.map(({ end }) => end()))
    },
  }
}

/** Servers end, stand still, and forget. */
export const serverFaults = {
  'broker-crash': {
    does: 'the broker is killed, and started again',
    lastsMs: [500, 6_000],
    strike: ({ kafka }) => struck([kafka], (server) => server.crash()),
  },
  'broker-frozen': {
    does: 'the broker stands still',
    lastsMs: [2_000, 12_000],
    strike: ({ kafka }) => struck([kafka], (server) => server.freeze()),
  },
  'leases-flush': {
    does: 'Redis forgets everything (FLUSHALL)',
    lastsMs: [500, 2_000],
    strike({ leases }) {
      let flushed = 0
      const flush = () => {
        for (const { server } of leases) {
          void ask(server, 'FLUSHALL').then((answer) => {
            if (answer.startsWith('+OK')) flushed += 1
          })
        }
      }
      flush()
      return { detail: `${leases.length} servers`, hits: () => flushed, again: flush }
    },
  },
  'leases-down': {
    does: 'Redis is killed, and comes back empty',
    lastsMs: [2_000, 20_000],
    strike: (world, random) => struck(someLeaseServers(world, random), (server) => server.crash()),
  },
  'leases-frozen': {
    does: 'Redis stands still',
    lastsMs: [2_000, 20_000],
    strike: (world, random) => struck(someLeaseServers(world, random), (server) => server.freeze()),
  },
  'log-crash': {
    does: 'the event log is killed, and started again',
    lastsMs: [500, 8_000],
    needsLogServer: true,
    strike: ({ eventLog }) => struck(eventLog === undefined ? [] : [eventLog], (server) => server.crash()),
  },
  'log-frozen': {
    does: 'the event log stands still',
    lastsMs: [2_000, 10_000],
    needsLogServer: true,
    strike: ({ eventLog }) => struck(eventLog === undefined ? [] : [eventLog], (server) => server.freeze()),
  },
} as const satisfies { readonly [name: string]: Fault }

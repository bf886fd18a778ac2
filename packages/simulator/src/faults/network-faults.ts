import type { Random } from '@almanac/engine'
import type { Cluster } from '../cluster/cluster.js'
import { between, chance, pick } from '../cluster/draw.js'
import type { LinkState } from '../world/types.js'
import { anyHost, type Fault, namesOf, type Strike, someHosts } from './fault.js'

const services = ['log', 'kafka', 'leases']

/** Links of some nodes to a service, or of a client to a node. */
function drawLinks(cluster: Cluster, random: Random) {
  const { network } = cluster.world
  if (chance(random, 0.15)) {
    const client = `client-${1 + Math.floor(random.next() * cluster.shape.clients)}`
    const host = anyHost(cluster, random)
    return { detail: `${client} to ${host.name}`, links: [network.link(client, host.service)] }
  }
  const hosts = someHosts(cluster, random)
  const service = pick(random, services)
  const links = hosts.map(({ name }) => network.link(name, service))
  return { detail: `${namesOf(hosts)} to ${service}`, links }
}

/** Changes some links, and puts back what it has changed. */
function spoil(
  cluster: Cluster,
  random: Random,
  change: (random: Random) => Partial<LinkState>,
  { detail, links } = drawLinks(cluster, random),
): Strike {
  const changes = change(random)
  for (const link of links) Object.assign(link, changes)
  const keys = Object.keys(changes) as (keyof LinkState)[]
  const { defaults } = cluster.world.network
  return {
    detail: `${detail}: ${JSON.stringify(changes)}`,
    end: () => {
      for (const link of links) Object.assign(link, pickKeys(defaults, keys))
    },
  }
}

const pickKeys = (from: LinkState, keys: readonly (keyof LinkState)[]): Partial<LinkState> =>
  Object.fromEntries(keys.map((key) => [key, from[key]]))

const on = (everyMs: number, change: (random: Random) => Partial<LinkState>): Fault => ({
  everyMs,
  lastsMs: [3_000, 60_000],
  strike: (cluster, random) => spoil(cluster, random, change),
})

/** Some nodes can't reach one service: they hear so at once, or nothing. */
const cutFrom = (service: string, cut: 'refused' | 'silent'): Fault => ({
  everyMs: 90_000,
  lastsMs: [1_000, 80_000],
  strike(cluster, random) {
    const hosts = someHosts(cluster, random)
    const links = hosts.map(({ name }) => cluster.world.network.link(name, service))
    return spoil(cluster, random, () => ({ cut }), { detail: `${namesOf(hosts)} to ${service}`, links })
  },
})

/** What can be wrong between two machines. */
export const networkFaults = {
  loss: on(30_000, (random) => ({
    requestLoss: between(random, 0, 0.2),
    answerLoss: between(random, 0, 0.2),
  })),
  delay: on(30_000, (random) => ({
    latencyMs: between(random, 5, chance(random, 0.3) ? 1_500 : 150),
    jitterMs: between(random, 5, 300),
  })),
  duplication: on(40_000, (random) => ({ duplication: between(random, 0.05, 0.5) })),
  reordering: on(40_000, (random) => ({ reordering: between(random, 0.05, 0.5) })),
  'cut-log': cutFrom('log', 'refused'),
  'cut-kafka': cutFrom('kafka', 'refused'),
  'cut-leases': cutFrom('leases', 'refused'),
  'cut-silent': {
    everyMs: 60_000,
    lastsMs: [1_000, 80_000],
    strike: (cluster, random) => spoil(cluster, random, () => ({ cut: 'silent' })),
  },
  /** One node stays cut off from something that it needs, and runs on: the others have to do without it. */
  'cut-off-for-good': {
    everyMs: Number.POSITIVE_INFINITY,
    lastsMs: [0, 0],
    strike: () => undefined,
    strikeForGood(cluster, random) {
      const newest = cluster.shape.nodes
        .map(({ tzVersion }) => tzVersion)
        .sort()
        .at(-1)
      const able = cluster.hosts.filter(({ isApi, tzVersion }) => !isApi && tzVersion === newest)
      if (able.length < 2) return undefined
      const host = pick(random, able)
      const service = pick(random, services)
      const cut = pick(random, ['refused', 'silent'] as const)
      cluster.world.network.link(host.name, service).cut = cut
      cluster.lame = host
      return `${host.name} from ${service}: ${cut}`
    },
  },
  clog: {
    everyMs: 50_000,
    lastsMs: [1_000, 30_000],
    strike(cluster, random, lastsMs) {
      const cloggedUntil = cluster.world.now + lastsMs
      return spoil(cluster, random, () => ({ cloggedUntil }))
    },
  },
} as const satisfies { readonly [name: string]: Fault }

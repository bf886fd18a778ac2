import { describe, expect, it } from 'vitest'
import { Cluster } from '../cluster/cluster.js'
import { drawShape } from '../cluster/shape.js'
import { SimWorld } from '../world/index.js'
import { drawFaults, type FaultName, faultNames, Nemesis } from './nemesis.js'

const drawnIn = (seed: number, choice = {}) => {
  const world = new SimWorld({ seed })
  return drawFaults((name) => world.fork(name), choice)
}

describe('faults of a seed', () => {
  it('are another mix in each seed, with each kind in some', () => {
    const mixes = Array.from({ length: 300 }, (_, seed) => drawnIn(seed).map(({ name }) => name))
    const seen = new Set(mixes.flat())
    expect(faultNames.filter((name) => !seen.has(name))).toEqual([])
    expect(mixes.some((mix) => mix.length === 0)).toBe(true)
    expect(new Set(mixes.map((mix) => mix.join())).size).toBeGreaterThan(200)
  })

  it('stay as they were when one kind is left out', () => {
    const seed =
      Array.from({ length: 100 }, (_, index) => index).find((each) => drawnIn(each).length > 5) ?? 0
    const [first, ...others] = drawnIn(seed)
    expect(others.length).toBeGreaterThan(4)
    expect(drawnIn(seed, { without: [first?.name] })).toEqual(others)
  })

  it('are exactly those that were asked for', () => {
    const only: readonly FaultName[] = ['crash', 'log-down']
    expect(drawnIn(3, { only }).map(({ name }) => name)).toEqual(only)
  })
})

/** Strikes with one kind alone for a minute, then heals. */
async function struckBy(name: FaultName) {
  const shape = drawShape(5, { spanMs: 60_000, tasks: 5 })
  const world = new SimWorld({ seed: 5, start: shape.startAt })
  const cluster = new Cluster(world, shape)
  const nemesis = new Nemesis(cluster, [{ name, intensity: 30 }])
  cluster.start()
  nemesis.start(60_000)
  await world.runFor(60_000)
  nemesis.heal()
  return { cluster, nemesis, world }
}

describe('the nemesis', () => {
  it('undoes in the end what it has done', async () => {
    for (const name of ['cut-silent', 'clock-step', 'views-full', 'kafka-down', 'blackout'] as const) {
      const { cluster, nemesis, world } = await struckBy(name)
      expect(nemesis.counts.get(name), name).toBeGreaterThan(0)
      expect(world.network.links().filter(({ state }) => state.cut !== 'none')).toEqual([])
      expect(cluster.hosts.filter(({ machine }) => machine.disk.isFull)).toEqual([])
      expect(cluster.hosts.map(({ machine }) => machine.clock.wall())).toEqual(
        cluster.hosts.map(() => world.now),
      )
      expect(cluster.kafka.isUp).toBe(true)
      expect(cluster.keptDown.size).toBe(0)
    }
  })

  it('tells what it did and when it was over', async () => {
    const { nemesis, world } = await struckBy('crash')
    const kinds = nemesis.history.map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'fault').length).toBe(nemesis.counts.get('crash'))
    expect(nemesis.history.at(-1)).toEqual({ kind: 'healed', at: world.now })
  })

  it('leaves a node cut off that the others have to do without', async () => {
    const { cluster, world } = await struckBy('cut-off-for-good')
    const cut = world.network.links().filter(({ state }) => state.cut !== 'none')
    expect(cut.map(({ process }) => process)).toEqual([cluster.lame?.name])
  })
})

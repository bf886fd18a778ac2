import type { Random } from '@almanac/engine'
import type { HistoryRecord } from '@almanac/history'
import type { Cluster } from '../cluster/cluster.js'
import { between, chance, pick, waiting } from '../cluster/draw.js'
import { defaultTuning } from '../kafka/index.js'
import { clockFaults } from './clock-faults.js'
import { diskFaults } from './disk-faults.js'
import type { Fault } from './fault.js'
import { kafkaFaults } from './kafka-faults.js'
import { networkFaults } from './network-faults.js'
import { processFaults } from './process-faults.js'
import { serviceFaults } from './service-faults.js'

const table = {
  ...processFaults,
  ...diskFaults,
  ...networkFaults,
  ...clockFaults,
  ...serviceFaults,
  ...kafkaFaults,
}
export type FaultName = keyof typeof table

/** Every kind of fault, by name. */
export const faultNames = Object.keys(table) as readonly FaultName[]

/** A kind of fault that a seed has, and how often: above 1 more often than usual. */
export interface DrawnFault {
  readonly name: FaultName
  readonly intensity: number
}

export interface FaultChoice {
  /** Only these may be drawn, and all of them are. */
  readonly only?: readonly FaultName[]
  /** These are left out; the others stay as they were drawn. */
  readonly without?: readonly FaultName[]
}

/**
 * Each seed has its own mix: many faults at once hide each other, and each seed with a few of them tries what is rare
 * in the whole. `fork` gives each kind a chance of its own, so that leaving one out changes no other.
 */
export function drawFaults(fork: (name: string) => Random, choice: FaultChoice = {}): readonly DrawnFault[] {
  const density = pick(fork('fault density'), [0, 0.06, 0.12, 0.12, 0.25, 0.45])
  // Whether leases are kept shows only while their store is honest: some seeds are for that alone.
  const isForLeases = choice.only === undefined && chance(fork('fault theme'), 0.15)
  return faultNames.flatMap((name) => {
    const random = fork(`fault ${name} drawn`)
    const { isRare = false }: Fault = table[name]
    const likely = isForLeases ? (forLeases.has(name) ? 0.75 : againstLeases.has(name) ? 0 : 0.05) : density
    const isDrawn = chance(random, isRare ? likely / 3 : likely)
    const intensity = between(random, 0.5, 2.5)
    const isIn = choice.only?.includes(name) ?? isDrawn
    return isIn && choice.without?.includes(name) !== true ? [{ name, intensity }] : []
  })
}

/** Nothing is wrong with the lease store, the clocks that leases are counted by, and the way to it. */
export const hasHonestLeases = (drawn: readonly DrawnFault[]): boolean =>
  !drawn.some(({ name }) => againstLeases.has(name))

const againstLeases: ReadonlySet<FaultName> = new Set<FaultName>([
  'leases-down',
  'leases-flush',
  'leases-lying',
  'lease-clock',
  // Too slow is out of reach: owners go on then.
  'leases-frozen',
  'delay',
  'cut-leases',
  'cut-silent',
  'cut-off-for-good',
  'clog',
  'loss',
  'twin',
])

const forLeases: ReadonlySet<FaultName> = new Set<FaultName>([
  'pause-long',
  'pause-at-lease',
  'clock-step',
  'crash',
  'leave',
])

/** Does to a cluster what was drawn, and undoes it all in the end. */
export class Nemesis {
  readonly history: HistoryRecord[] = []
  /** Strikes by kind. */
  readonly counts = new Map<FaultName, number>()
  private readonly cluster: Cluster
  private readonly drawn: readonly DrawnFault[]
  private readonly active = new Set<() => void>()
  private isOver = false

  constructor(cluster: Cluster, drawn: readonly DrawnFault[]) {
    this.cluster = cluster
    this.drawn = drawn
  }

  /** Strikes until `heal`, which comes after `ms`; no strike lasts longer. */
  start(ms: number): void {
    const { world } = this.cluster
    const healAt = world.now + ms
    for (const { name, intensity } of this.drawn) {
      if (!Number.isFinite(table[name].everyMs)) continue
      const random = world.fork(`fault ${name}`)
      const next = (): void => {
        world.after(waiting(random, table[name].everyMs / intensity), () => {
          if (this.isOver) return
          this.strike(name, random, healAt)
          next()
        })
      }
      next()
    }
  }

  private strike(name: FaultName, random: Random, healAt: number): void {
    const { world } = this.cluster
    const fault: Fault = table[name]
    const drawnMs = Math.round(between(random, ...fault.lastsMs))
    const lastsMs = Math.min(drawnMs, Math.max(0, healAt - world.now))
    const strike = fault.strike(this.cluster, random, lastsMs)
    if (strike === undefined) return
    const { detail, end } = strike
    this.note(name, detail)
    if (end === undefined) return
    const over = (): void => {
      if (!this.active.delete(over)) return
      world.trace(`fault ${name} ends`)
      end()
    }
    this.active.add(over)
    world.after(lastsMs, over)
  }

  /** What stays broken while all else is well. */
  private strikeForGood(): void {
    for (const { name } of this.drawn) {
      const { strikeForGood }: Fault = table[name]
      const detail = strikeForGood?.(this.cluster, this.cluster.world.fork(`fault ${name}`))
      if (detail !== undefined) this.note(name, detail)
    }
  }

  private note(name: FaultName, detail: string): void {
    const { world } = this.cluster
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
    world.trace(`fault ${name} ${detail}`)
    this.history.push({ kind: 'fault', at: world.now, fault: name, detail })
  }

  /** Nothing is broken from here on, but what a seed leaves broken for good. */
  heal(): void {
    const { world, kafka, eventLog, leases, hosts, keptDown } = this.cluster
    this.isOver = true
    for (const over of [...this.active]) over()
    keptDown.clear()
    world.network.heal()
    eventLog.heal()
    leases.heal()
    kafka.restart()
    Object.assign(kafka.tuning, defaultTuning)
    for (const { machine } of hosts) machine.clock.synchronize()
    this.strikeForGood()
    world.trace('healed')
    this.history.push({ kind: 'healed', at: world.now })
  }
}

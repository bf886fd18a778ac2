import type { Random } from '@almanac/engine'
import { between, randomOf, shuffled } from '../draw.js'
import { clockFaults } from './clock-faults.js'
import type { ChaosWorld, Fault, Strike } from './fault.js'
import { kafkaFaults } from './kafka-faults.js'
import { networkFaults } from './network-faults.js'
import { processFaults } from './process-faults.js'
import { serverFaults } from './server-faults.js'

const table = { ...processFaults, ...kafkaFaults, ...networkFaults, ...serverFaults, ...clockFaults }
export type FaultName = keyof typeof table

/** Every kind of fault, by name. */
export const faultNames = Object.keys(table) as readonly FaultName[]

export const whatDoes = (name: FaultName): string => table[name].does

/** Kinds that there are with this event log. */
export const possibleFaults = (hasLogServer: boolean): readonly FaultName[] =>
  faultNames.filter((name) => {
    const { needsLogServer = false }: Fault = table[name]
    return hasLogServer || !needsLogServer
  })

/** A strike as the seed has it. */
export interface Planned {
  readonly name: FaultName
  /** From the beginning of the faults. Milliseconds. */
  readonly atMs: number
  readonly lastsMs: number
}

/** What became of a planned strike. */
export interface Struck {
  readonly name: FaultName
  readonly detail: string
  readonly at: number
  readonly endedAt: number
  /** How often it has hit something. */
  readonly hits: number
}

/** Each kind once in each round, in another order every time; a long run has as many rounds as fit. */
export function planFaults(
  seed: number,
  names: readonly FaultName[],
  spanMs: number,
  leaseTtlMs: number,
): readonly Planned[] {
  const random = randomOf(seed, 'plan')
  const rounds = Math.max(1, Math.round(spanMs / (names.length * usualGapMs)))
  const order = Array.from({ length: rounds }, () => shuffled(random, names)).flat()
  // The last strikes need time to hit something.
  const gapMs = (spanMs - Math.min(lastMs, spanMs / 5)) / order.length
  const pace = Math.min(1, Math.max(0.3, gapMs / usualGapMs))
  return order.map((name, index) => {
    const atMs = Math.round((index + between(random, 0, 0.8)) * gapMs)
    const { lastsLeases, lastsMs = [0, 0] }: Fault = table[name]
    const [from, to] = lastsLeases?.map((count) => count * leaseTtlMs) ?? lastsMs.map((ms) => ms * pace)
    return { name, atMs, lastsMs: Math.round(between(random, from ?? 0, to ?? 0)) }
  })
}

/** In a short run strikes come closer together than this, and are shorter; in a long one they never do. */
const usualGapMs = 12_000
const lastMs = 12_000

interface NemesisParts {
  readonly world: ChaosWorld
  readonly seed: number
  readonly plan: readonly Planned[]
  /** Whether the cluster gets on at this moment. */
  readonly isProgressing: () => boolean
  readonly onStrike: (name: FaultName, at: number, detail: string) => void
}

/** Does what was planned, and undoes it all in the end. */
export class Nemesis {
  readonly struck: Struck[] = []
  private readonly parts: NemesisParts
  private isOver = false
  private active = 0
  private wake: () => void = () => {}
  private readonly over: Promise<void>

  constructor(parts: NemesisParts) {
    this.parts = parts
    this.over = new Promise((resolve) => {
      this.wake = resolve
    })
  }

  /** Resolves when every strike has ended: after its time, or at `heal`. */
  async run(): Promise<void> {
    const { plan, seed } = this.parts
    await Promise.all(plan.map((planned, index) => this.do(planned, randomOf(seed, `strike ${index}`))))
  }

  /** What is planned and has not begun is left out, and what lasts is undone. */
  heal(): void {
    this.isOver = true
    this.wake()
  }

  private async do({ name, atMs, lastsMs }: Planned, random: Random): Promise<void> {
    const { world, onStrike } = this.parts
    await this.pause(atMs)
    await this.turn(name)
    let strike: Strike | undefined
    while (strike === undefined && !this.isOver) {
      strike = table[name].strike(world, random, lastsMs)
      if (strike === undefined) await this.pause(retryMs)
    }
    if (strike === undefined) return
    const { detail, end, hits, again } = strike
    const at = Date.now()
    this.active += 1
    onStrike(name, at, detail)
    await this.pause(lastsMs)
    // What is aimed at single requests waits for one.
    while (hits?.() === 0 && !this.isOver) {
      await this.pause(againMs)
      if (hits() === 0) again?.()
    }
    await end?.()
    this.active -= 1
    this.struck.push({ name, detail, at, endedAt: Date.now(), hits: hits?.() ?? 1 })
  }

  /**
   * Too much at once, and nothing works any more that could break: whoever comes then waits, but for a while only,
   * unless it needs a cluster that gets on.
   */
  private async turn(name: FaultName): Promise<void> {
    const { needsProgress = false }: Fault = table[name]
    const { isProgressing } = this.parts
    for (let left = patience; !this.isOver; left -= 1) {
      if (this.active < mostAtOnce && (isProgressing() || (left <= 0 && !needsProgress))) return
      await this.pause(retryMs)
    }
  }

  private async pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const time = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms)
    })
    await Promise.race([time, this.over])
    clearTimeout(timer)
  }
}

const mostAtOnce = 3
const retryMs = 250
const againMs = 2_500
/** So many times it is looked whether the cluster gets on before something more is done to it all the same. */
const patience = 32

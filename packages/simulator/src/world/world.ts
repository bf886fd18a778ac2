import { type Random, SeededRandom } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import { Agenda, type Entry } from './agenda.js'
import { Network } from './network.js'
import { downToGrain, upToGrain } from './time.js'
import { Trace } from './trace.js'
import { act, enterWorld, settle, settleAndHear, takeUnheard } from './turns.js'
import type { World } from './types.js'

export interface WorldOptions {
  /** Everything that is drawn comes from it. A whole number of 32 bits. */
  readonly seed: number
  /** True time at the beginning, epoch ms. Default: 2026-01-01T00:00:00Z. */
  readonly start?: Instant
  /** How many of the last lines of the trace a failure shows. Default 40; 0: none, a little faster. */
  readonly keptLines?: number
}

const defaultStart: Instant = 1_767_225_600_000

/**
 * So many turns share a macrotask, which costs several times as much as all else in a turn: a rejection that nobody
 * handles is noticed so many turns later at most.
 */
const turnsPerMacrotask = 32

/** More actions than this in one instant are a loop without a wait. */
const mostAtOnce = 1_000_000

/** Code of the world threw, or a process let a rejection go unhandled, which would have ended it. */
export class WorldFailure extends Error {
  readonly seed: number
  /** True time. */
  readonly at: Instant
  /** The last lines of the trace. */
  readonly tail: readonly string[]

  constructor(world: SimWorld, cause: unknown) {
    super(
      `seed ${world.seed}, ${new Date(world.now).toISOString()}: ${
        cause instanceof Error ? cause.message : String(cause)
      }`,
      { cause },
    )
    this.name = 'WorldFailure'
    this.seed = world.seed
    this.at = world.now
    this.tail = world.tail()
  }
}

export class SimWorld implements World {
  readonly seed: number
  readonly start: Instant
  readonly random: Random
  readonly network: Network
  /** How often something happened: calls by service and label, and faults. What never happened was not tested. */
  readonly counts = new Map<string, number>()
  private readonly agenda = new Agenda()
  private readonly history: Trace
  private readonly incarnations = new Map<string, number>()
  private done = 0
  private atOnce = 0
  private passed = 0
  private isTouched = false
  private isRunning = false

  constructor({ seed, start = defaultStart, keptLines = 40 }: WorldOptions) {
    this.seed = seed
    this.start = start
    this.history = new Trace(keptLines)
    this.random = this.fork('world')
    this.network = new Network((name) => this.fork(name))
  }

  get now(): Instant {
    return this.start + Math.floor(this.passed)
  }

  /** True time since the start in ms, with parts of a millisecond. */
  get time(): number {
    return this.passed
  }

  /** How many actions have run. */
  get actions(): number {
    return this.done
  }

  fork(name: string): Random {
    return new SeededRandom(seedOf(this.seed, name))
  }

  after(ms: number, action: () => void): void {
    this.schedule(ms, () => {
      this.isTouched = true
      action()
    })
  }

  /** As `after`, for an action which calls `touch` when a promise job may follow from it; else none is waited for. */
  schedule(ms: number, action: () => void): Entry {
    if (Number.isNaN(ms)) throw new Error('A time that is no number.')
    return this.agenda.add(upToGrain(this.passed + Math.max(0, ms)), action)
  }

  /** The action under way has resolved a promise, or may have: time stands until all that follows has run. */
  touch(): void {
    this.isTouched = true
  }

  trace(what: string): void {
    this.history.add(this.passed, what)
  }

  traceHash(): string {
    return this.history.digest()
  }

  /** The last lines of the trace. */
  tail(): readonly string[] {
    return this.history.tail()
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  /** Counts the starts of a process: 1, 2, ... */
  incarnate(name: string): number {
    const incarnation = (this.incarnations.get(name) ?? 0) + 1
    this.incarnations.set(name, incarnation)
    return incarnation
  }

  /** Runs everything up to `end`, inclusive; true time is `end` then. Throws `WorldFailure`. */
  async runUntil(end: Instant): Promise<void> {
    const limit = downToGrain(end - this.start)
    await this.run(() => this.agenda.next(limit))
    this.passed = Math.max(this.passed, limit)
  }

  async runFor(ms: number): Promise<void> {
    await this.runUntil(this.start + this.passed + ms)
  }

  /** Runs the next action alone, whenever it is due; false when there is none. */
  async step(): Promise<boolean> {
    let left = 1
    await this.run(() => (left-- > 0 ? this.agenda.next(Number.POSITIVE_INFINITY) : undefined))
    return left < 0
  }

  private async run(next: () => Entry | undefined): Promise<void> {
    if (this.isRunning) throw new Error('The world is running already.')
    this.isRunning = true
    const leave = enterWorld()
    let turns = 0
    try {
      // The caller goes on first, then what it started goes as far as it can: time has not moved yet.
      await Promise.resolve()
      await settle()
      for (let entry = next(); entry?.action !== undefined; entry = next()) {
        this.moveTo(entry.at)
        this.isTouched = false
        act(entry.action)
        if (!this.isTouched) continue
        turns += 1
        if (turns % turnsPerMacrotask !== 0) {
          await settle()
          continue
        }
        await settleAndHear()
        this.failIfUnheard()
      }
      await settleAndHear()
      this.failIfUnheard()
    } catch (error) {
      // What else was rejected belongs to this failure, not to who runs next.
      await settleAndHear()
      takeUnheard()
      throw error instanceof WorldFailure ? error : new WorldFailure(this, error)
    } finally {
      leave()
      this.isRunning = false
    }
  }

  private moveTo(at: number): void {
    this.done += 1
    if (at > this.passed) {
      this.passed = at
      this.atOnce = 0
    }
    this.atOnce += 1
    if (this.atOnce > mostAtOnce) throw new Error(`Time stands still: ${mostAtOnce} actions in one instant.`)
  }

  private failIfUnheard(): void {
    const rejection = takeUnheard()
    if (rejection !== undefined) throw new WorldFailure(this, rejection.reason)
  }
}

/** Both the seed and the name go into every bit. */
function seedOf(seed: number, name: string): number {
  let mixed = (seed ^ 0x811c9dc5) >>> 0
  for (let index = 0; index < name.length; index++) {
    mixed = Math.imul(mixed ^ name.charCodeAt(index), 0x01000193)
  }
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

import type { Instant } from '@almanac/recurrence'
import type { Clock, Stop } from '../ports/clock.js'

interface Sleeper {
  readonly wakeAt: number
  readonly wake: () => void
}

export interface ManualClockOptions {
  /**
   * Lets what has been woken run until it waits again. The default yields to promise jobs many times; code
   * that does real I/O needs one that waits for it, for example `() => new Promise((done) =>
   * setImmediate(done))`.
   */
  readonly settle?: () => Promise<void>
}

/** Promise jobs that the default `settle` lets run, one after another. */
const settleTurns = 200

const yieldToJobs = async (): Promise<void> => {
  for (let turn = 0; turn < settleTurns; turn++) await undefined
}

/**
 * A clock that stands still until it is told to move: for tests of schedules, of this project's and of its
 * users'. Time passes in `advance`, which wakes each sleeper at its own moment, in order, and lets it run
 * before going on.
 */
export class ManualClock implements Clock {
  private readonly settle: () => Promise<void>
  private readonly sleepers = new Set<Sleeper>()
  private wall: number
  private passed = 0

  constructor(start: Instant, options: ManualClockOptions = {}) {
    this.wall = start
    this.settle = options.settle ?? yieldToJobs
  }

  now(): Instant {
    return Math.floor(this.wall)
  }

  elapsed(): number {
    return this.passed
  }

  sleep(ms: number, stop?: Stop): Promise<void> {
    if (stop?.stopped === true) return Promise.resolve()
    return new Promise((resolve) => {
      let forget = (): void => {}
      const sleeper: Sleeper = {
        wakeAt: this.passed + Math.max(0, ms),
        wake: () => {
          this.sleepers.delete(sleeper)
          forget()
          resolve()
        },
      }
      this.sleepers.add(sleeper)
      if (stop !== undefined) forget = stop.onStop(sleeper.wake)
    })
  }

  /**
   * Lets `ms` pass on both scales. Sleepers that begin to sleep meanwhile are woken too, when their time is
   * in it.
   */
  async advance(ms: number): Promise<void> {
    const end = this.passed + ms
    await this.settle()
    for (;;) {
      const next = this.earliest()
      if (next === undefined || next.wakeAt > end) break
      this.pass(Math.max(this.passed, next.wakeAt))
      next.wake()
      await this.settle()
    }
    this.pass(end)
    await this.settle()
  }

  /**
   * Sets the wall clock, forwards or back, as a hand or NTP does; elapsed time and sleepers know nothing of
   * it.
   */
  step(now: Instant): void {
    this.wall = now
  }

  /** How many wait now. */
  sleeping(): number {
    return this.sleepers.size
  }

  /** Of several with the same moment, the one that went to sleep first. */
  private earliest(): Sleeper | undefined {
    let first: Sleeper | undefined
    for (const sleeper of this.sleepers) {
      if (first === undefined || sleeper.wakeAt < first.wakeAt) first = sleeper
    }
    return first
  }

  private pass(until: number): void {
    this.wall += until - this.passed
    this.passed = until
  }
}

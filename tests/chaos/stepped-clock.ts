import type { Clock, Stop } from '@almanac/engine'

/** How a machine's clock is wrong. */
export interface ClockState {
  /** What has been added to the wall clock. */
  readonly offsetMs: number
  /** How much too fast it runs. */
  readonly driftPpm: number
}

export const rightClock: ClockState = { offsetMs: 0, driftPpm: 0 }

/** The clock port of a node whose machine's clock is set by hand. Elapsed time never goes back. */
export class SteppedClock implements Clock {
  private readonly base: Clock
  private offsetMs = 0
  private driftPpm = 0
  /** Elapsed time of the true clock and of this one when the drift changed last. */
  private trueAt: number
  private counted: number
  private readonly start: { readonly wall: number; readonly elapsed: number }

  constructor(base: Clock, state: ClockState = rightClock) {
    this.base = base
    this.trueAt = base.elapsed()
    this.counted = this.trueAt
    this.start = { wall: base.now(), elapsed: this.counted }
    this.set(state)
  }

  /** With `rightClock` a time server has put it right, in one step. */
  set({ offsetMs, driftPpm }: ClockState): void {
    this.counted = this.elapsed()
    this.trueAt = this.base.elapsed()
    this.driftPpm = driftPpm
    // Where the drift has brought it is made good whenever it is set.
    const gone = this.counted - this.start.elapsed
    this.offsetMs = this.base.now() - this.start.wall - gone + offsetMs
  }

  now(): number {
    return Math.floor(this.start.wall + this.elapsed() - this.start.elapsed + this.offsetMs)
  }

  elapsed(): number {
    return this.counted + (this.base.elapsed() - this.trueAt) * (1 + this.driftPpm / 1e6)
  }

  sleep(ms: number, stop?: Stop): Promise<void> {
    return this.base.sleep(ms / (1 + this.driftPpm / 1e6), stop)
  }
}

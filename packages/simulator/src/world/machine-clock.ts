import type { Instant } from '@almanac/recurrence'
import { downToGrain } from './time.js'
import type { ClockState } from './types.js'

/** What a clock needs of its world. */
export interface TrueTime {
  readonly start: Instant
  /** True time since the start in ms. */
  readonly time: number
}

/**
 * The clock of a machine: it outlives the processes that run there. `offsetMs` may be set at any time, which is a step
 * of the wall clock; `driftPpm` too, which changes the speed from then on.
 */
export class MachineClock implements ClockState {
  /** What has been added to the wall clock; with the drift of the past it makes up the distance to true time. */
  offsetMs: number
  private readonly world: TrueTime
  private drift: number
  /** Up to here elapsed time has been counted with earlier drifts. */
  private countedAt = 0
  private counted = 0

  constructor(world: TrueTime, { offsetMs, driftPpm }: ClockState = { offsetMs: 0, driftPpm: 0 }) {
    this.world = world
    this.offsetMs = offsetMs
    this.drift = driftPpm
  }

  get driftPpm(): number {
    return this.drift
  }

  set driftPpm(ppm: number) {
    this.counted = this.exact()
    this.countedAt = this.world.time
    this.drift = ppm
  }

  /** Wall clock, whole ms. */
  wall(): Instant {
    return Math.floor(this.world.start + this.exact() + this.offsetMs)
  }

  /** Since the world's start; never goes back. */
  elapsed(): number {
    return downToGrain(this.exact())
  }

  /** True time that passes while this clock counts `ms`. */
  trueMs(ms: number): number {
    return ms / this.rate()
  }

  /** The wall clock shows true time again, and runs at its speed: what time servers do to a machine. */
  synchronize(): void {
    this.driftPpm = 0
    this.offsetMs = this.world.time - this.counted
  }

  private exact(): number {
    return this.counted + (this.world.time - this.countedAt) * this.rate()
  }

  private rate(): number {
    return 1 + this.drift / 1e6
  }
}

import type { Instant } from '@almanac/recurrence'
import type { Clock, Stop } from './ports/clock.js'

/** Every duration is in milliseconds. */
export interface ClockGuardOptions {
  /** A wall that is off by more than this is suspect. Default: 500. */
  readonly limitMs?: number
  /** Partitions are let go of when the wall is off by more than this. Default: 5 000. */
  readonly letGoMs?: number
  /** And stays so for longer than this. Default: 30 000. */
  readonly letGoAfterMs?: number
  /** What a source said is forgotten after this, or ten times that while the clock is suspect. Default: 60 000. */
  readonly sampleMaxAgeMs?: number
}

/** Between these two a source's clock is ahead of elapsed time. */
interface Sample {
  readonly low: number
  readonly high: number
  readonly answeredAt: number
}

/** What the samples say of the wall, now. */
interface Verdict {
  readonly now: Instant
  /** Wall less the nearest bound of the source that disagrees the most; 0: within all bounds. */
  readonly offsetMs: number
  readonly isVouchedFor: boolean
  readonly mustLetGo: boolean
}

/**
 * The wall clock, held against the clocks of servers (lease store, broker, event log). A wall that is ahead of any of
 * them is not followed: time goes on with the slowest source, so that nothing is dispatched early. A wall that is
 * behind is put right when two sources or more say so. Against a single one it is believed, since late can be mended
 * and early can't.
 *
 * Not monotone: `SteadyClock` goes round it. After the machine has slept, elapsed time is behind, and so is this clock
 * until each source has answered anew, or its last answer is forgotten.
 */
export class ClockGuard implements Clock {
  private readonly source: Clock
  private readonly options: Required<ClockGuardOptions>
  private readonly samples = new Map<string, Sample>()
  private suspectSince: number | null = null
  private farSince: number | null = null

  constructor(source: Clock, options: ClockGuardOptions = {}) {
    this.source = source
    this.options = { ...defaults, ...options }
  }

  /**
   * A server said that it is `serverTime` by its clock, at some moment between the question and its answer; both on
   * the scale of `elapsed()`. Independent servers need different names.
   */
  observe(source: string, serverTime: Instant, askedAt: number, answeredAt: number): void {
    const sample = { low: serverTime - answeredAt, high: serverTime - askedAt, answeredAt }
    const kept = this.samples.get(source)
    if (kept !== undefined && !this.isBetter(sample, kept)) return
    this.samples.set(source, sample)
    this.judge()
  }

  now(): Instant {
    return this.judge().now
  }

  /**
   * Since when (elapsed) the wall is off by more than the limit, and by how much: above 0, it is ahead of what a source
   * allows. Null: no source objects.
   */
  suspect(): { readonly offsetMs: number; readonly since: number } | null {
    const { offsetMs } = this.judge()
    return this.suspectSince === null ? null : { offsetMs, since: this.suspectSince }
  }

  /** By source that is still heard: how far the wall is outside of what it allows; above 0, ahead. */
  offsets(): ReadonlyMap<string, number> {
    const elapsed = this.source.elapsed()
    const ahead = this.source.now() - elapsed
    const heard = [...this.samples].filter(
      ([, sample]) => elapsed - sample.answeredAt <= this.options.sampleMaxAgeMs,
    )
    return new Map(heard.map(([source, sample]) => [source, offsetOf(ahead, sample)]))
  }

  /**
   * True when this machine's clock has been so wrong for so long that others should own its partitions. Where as many
   * sources agree with the wall as don't, it is theirs that are wrong, and others would fare no better.
   */
  mustLetGo(): boolean {
    return this.judge().mustLetGo
  }

  /**
   * Whether sources stand behind what `now()` says: it is more than this machine's own word then. Not so for a wall
   * that is believed against a single source.
   */
  isVouchedFor(): boolean {
    return this.judge().isVouchedFor
  }

  elapsed(): number {
    return this.source.elapsed()
  }

  sleep(ms: number, stop?: Stop): Promise<void> {
    return this.source.sleep(ms, stop)
  }

  /** A slow answer tells less than a quick one of a moment ago; but a source whose clock was set is believed anew. */
  private isBetter(sample: Sample, kept: Sample): boolean {
    if (sample.answeredAt < kept.answeredAt) return false
    const isNarrower = sample.high - sample.low <= kept.high - kept.low
    const isOld = sample.answeredAt - kept.answeredAt > this.options.sampleMaxAgeMs / 4
    return isNarrower || isOld || sample.low > kept.high || sample.high < kept.low
  }

  private judge(): Verdict {
    const wall = this.source.now()
    if (this.samples.size === 0) return { now: wall, offsetMs: 0, isVouchedFor: false, mustLetGo: false }
    const { limitMs, letGoMs, letGoAfterMs } = this.options
    const elapsed = this.source.elapsed()
    const heard = this.heard(elapsed)
    const offsets = heard.map((sample) => offsetOf(wall - elapsed, sample))
    const offsetMs = offsets.reduce(
      (worst, offset) => (Math.abs(offset) > Math.abs(worst) ? offset : worst),
      0,
    )
    this.suspectSince = Math.abs(offsetMs) > limitMs ? (this.suspectSince ?? elapsed) : null
    const far = heard.filter((sample) => Math.abs(offsetOf(wall - elapsed, sample)) > letGoMs)
    const agreeing = offsets.filter((offset) => Math.abs(offset) <= limitMs)
    const farSince = far.length > agreeing.length ? (this.farSince ?? elapsed) : null
    this.farSince = farSince
    const isAhead = offsets.some((offset) => offset > limitMs)
    const isBehind = offsets.length >= 2 && offsets.every((offset) => offset < -limitMs)
    const slowest = Math.floor(elapsed + Math.min(...heard.map((sample) => sample.low)))
    return {
      now: isAhead || isBehind ? slowest : wall,
      offsetMs,
      isVouchedFor: heard.length > 0 && (isAhead || isBehind || this.suspectSince === null),
      // Said again since: an answer from before the machine slept must not cost it its partitions.
      mustLetGo:
        farSince !== null &&
        elapsed - farSince > letGoAfterMs &&
        far.some((sample) => sample.answeredAt > farSince),
    }
  }

  /** What still counts. When the sources have fallen silent, a suspicion stays for some time: silence clears nobody. */
  private heard(elapsed: number): readonly Sample[] {
    const { sampleMaxAgeMs } = this.options
    const within = (ms: number) =>
      [...this.samples.values()].filter((sample) => elapsed - sample.answeredAt <= ms)
    const fresh = within(sampleMaxAgeMs)
    return fresh.length > 0 || this.suspectSince === null ? fresh : within(10 * sampleMaxAgeMs)
  }
}

const defaults = { limitMs: 500, letGoMs: 5_000, letGoAfterMs: 30_000, sampleMaxAgeMs: 60_000 }

/** How far the wall (ahead of elapsed time by `ahead`) is outside of what the sample allows. */
function offsetOf(ahead: number, { low, high }: Sample): number {
  if (ahead > high) return ahead - high
  return ahead < low ? ahead - low : 0
}

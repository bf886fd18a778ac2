import type { Clock } from '../ports/clock.js'

interface FitnessParts {
  readonly clock: Clock
  readonly unfitAfterMs: number
  /** Resolves when everything a tick needs is in reach. */
  readonly probe: () => Promise<unknown>
}

/**
 * Whether this node can do its share. One that is alive but cut off from the event log or the dispatch log keeps its
 * place among the members and does nothing with it: it must say so itself, or its partitions stand still.
 */
export class Fitness {
  private readonly parts: FitnessParts
  private troubleSince: number | undefined
  private unfitUntil: number | undefined
  private spellMs: number

  constructor(parts: FitnessParts) {
    this.parts = parts
    this.spellMs = parts.unfitAfterMs
  }

  /** A partition of this node has got on: what it needs is in reach. */
  progressed(): void {
    this.troubleSince = undefined
    this.spellMs = this.parts.unfitAfterMs
  }

  /** A partition of this node could not get on. */
  stuck(): void {
    if (this.isFit) this.troubleSince ??= this.parts.clock.elapsed()
  }

  get isFit(): boolean {
    return this.unfitUntil === undefined
  }

  /** True when something is out of reach just now, though not yet long enough to give up. */
  get isTroubled(): boolean {
    return this.troubleSince !== undefined || !this.isFit
  }

  /** Looks at the time: gives up when nothing has got on for long, comes back when a probe succeeds. */
  async review(): Promise<void> {
    const now = this.parts.clock.elapsed()
    if (this.unfitUntil === undefined) {
      if (this.troubleSince !== undefined && now - this.troubleSince > this.parts.unfitAfterMs) {
        this.unfitUntil = now + this.spellMs
        this.spellMs = Math.min(this.spellMs * 2, maxSpellMs)
        this.troubleSince = undefined
      }
      return
    }
    if (now < this.unfitUntil) return
    try {
      await this.parts.probe()
      this.unfitUntil = undefined
    } catch {
      this.unfitUntil = this.parts.clock.elapsed() + this.parts.unfitAfterMs
    }
  }
}

/** Longest time that a node which has failed again and again stays out before it looks again. */
const maxSpellMs = 60_000

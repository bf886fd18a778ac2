import type { Clock, Stop } from './ports/clock.js'
import { Signal } from './signal.js'

/**
 * Follow-up commands of the node itself (disable a finished task, quarantine a broken one): done in the
 * background, in order, repeated until they succeed. Each is idempotent, and is found again after a restart.
 */
export class Chores {
  private readonly clock: Clock
  private readonly onFault: (message: string, fault: unknown) => void
  private readonly failedOnes = new Map<
    string,
    { readonly work: () => Promise<unknown>; readonly notBefore: number }
  >()
  private readonly waiting = new Map<string, () => Promise<unknown>>()
  private readonly added = new Signal()
  private failures = 0

  constructor(clock: Clock, onFault: (message: string, fault: unknown) => void) {
    this.clock = clock
    this.onFault = onFault
  }

  /** Adds a chore unless one of that key is waiting. */
  add(key: string, work: () => Promise<unknown>): void {
    if (this.waiting.has(key)) return
    this.waiting.set(key, work)
    this.added.notify()
  }

  get length(): number {
    return this.waiting.size + this.failedOnes.size
  }

  get failed(): number {
    return this.failures
  }

  /** Works until `stop`; what is left then is found again at the next start. */
  async run(stop: Stop): Promise<void> {
    while (!stop.stopped) {
      const batch = this.take()
      if (batch.length === 0) {
        await this.added.wait(this.clock, this.untilRetry(), stop)
        continue
      }
      await Promise.all(batch.map(([key, work]) => this.do(key, work)))
    }
  }

  /** Taken out before it is done: what is found again meanwhile is done again. */
  private take(): readonly (readonly [string, () => Promise<unknown>])[] {
    const now = this.clock.elapsed()
    for (const [key, { work, notBefore }] of this.failedOnes) {
      if (notBefore > now) continue
      this.failedOnes.delete(key)
      if (!this.waiting.has(key)) this.waiting.set(key, work)
    }
    const batch = [...this.waiting].slice(0, atOnce)
    for (const [key] of batch) this.waiting.delete(key)
    return batch
  }

  private async do(key: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (fault) {
      this.failures += 1
      this.onFault(key, fault)
      this.failedOnes.set(key, { work, notBefore: this.clock.elapsed() + retryMs })
    }
  }

  private untilRetry(): number {
    const next = Math.min(...[...this.failedOnes.values()].map(({ notBefore }) => notBefore))
    return Math.max(1, next - this.clock.elapsed())
  }
}

const atOnce = 64
const retryMs = 1_000

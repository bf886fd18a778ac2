import type { Clock, Stop } from './ports/clock.js'
import { Signal } from './signal.js'

/**
 * Follow-up commands of the node itself (disable a finished task, quarantine a broken one): done in the
 * background, in order, repeated until they succeed. Each is idempotent, and is found again after a restart.
 */
export class Chores {
  private readonly clock: Clock
  private readonly waiting = new Map<string, () => Promise<unknown>>()
  private readonly added = new Signal()
  private failures = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Adds a chore unless one of that key is waiting. */
  add(key: string, work: () => Promise<unknown>): void {
    if (this.waiting.has(key)) return
    this.waiting.set(key, work)
    this.added.notify()
  }

  get length(): number {
    return this.waiting.size
  }

  get failed(): number {
    return this.failures
  }

  /** Works until `stop`; what is left then is found again at the next start. */
  async run(stop: Stop): Promise<void> {
    while (!stop.stopped) {
      const batch = [...this.waiting].slice(0, atOnce)
      if (batch.length === 0) {
        await this.added.wait(this.clock, Number.POSITIVE_INFINITY, stop)
        continue
      }
      const results = await Promise.allSettled(batch.map(([, work]) => work()))
      let failed = 0
      results.forEach((result, index) => {
        const key = batch[index]?.[0]
        if (result.status === 'fulfilled') {
          if (key !== undefined) this.waiting.delete(key)
        } else failed += 1
      })
      this.failures += failed
      if (failed > 0) await this.clock.sleep(retryMs, stop)
    }
  }
}

const atOnce = 64
const retryMs = 1_000

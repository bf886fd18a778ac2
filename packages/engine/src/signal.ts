import type { Clock, Stop } from './ports/clock.js'
import { createStop } from './stop.js'

/** Wakes whoever waits. A call that finds nobody waiting is kept for the next wait. */
export class Signal {
  private readonly waiting = new Set<() => void>()
  private kept = false

  notify(): void {
    this.kept = this.waiting.size === 0
    for (const wake of [...this.waiting]) wake()
  }

  /** Resolves on a notification, after `ms`, or when `stop` fires. */
  async wait(clock: Clock, ms: number, stop: Stop): Promise<void> {
    if (this.kept || stop.stopped || ms <= 0) {
      this.kept = false
      return
    }
    const woken = createStop()
    const wake = () => woken.stop()
    const forget = stop.onStop(wake)
    this.waiting.add(wake)
    await clock.sleep(ms, woken)
    this.waiting.delete(wake)
    forget()
  }
}

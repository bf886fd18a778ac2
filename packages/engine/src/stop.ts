import type { Stop } from './ports/clock.js'

/**
 * A `Stop` and the hand on it. `stop()` may be called more than once; the callbacks are called once, in the
 * order in which they came, within the first call.
 */
export function createStop(): Stop & { stop(): void } {
  let stopped = false
  const callbacks = new Set<() => void>()
  return {
    get stopped() {
      return stopped
    },
    onStop(callback) {
      if (stopped) {
        callback()
        return () => {}
      }
      // Wrapped, so that the same function given twice is called twice.
      const entry = () => callback()
      callbacks.add(entry)
      return () => {
        callbacks.delete(entry)
      }
    },
    stop() {
      if (stopped) return
      stopped = true
      const waiting = [...callbacks]
      callbacks.clear()
      for (const callback of waiting) callback()
    },
  }
}

/** Fires when one of the two does. `forget` lets go of both: to be called when it is not needed any more. */
export function eitherStop(one: Stop, other: Stop): { readonly stop: Stop; forget(): void } {
  const either = createStop()
  const forgets = [one, other].map((each) => each.onStop(() => either.stop()))
  return {
    stop: either,
    forget: () => {
      for (const forget of forgets) forget()
    },
  }
}

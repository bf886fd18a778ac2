import { performance } from 'node:perf_hooks'
import type { Clock, Stop } from '@almanac/engine'

/** The longest wait that a timer of Node takes; longer ones fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** The machine's clock. A waiting `sleep` keeps the process alive. */
export const systemClock = (): Clock => ({
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep,
})

/** Timers may fire up to a millisecond early, and not at all beyond 2^31 ms: both are made good here. */
const sleep = (ms: number, stop?: Stop): Promise<void> =>
  new Promise((resolve) => {
    if (stop?.stopped === true) {
      resolve()
      return
    }
    const until = performance.now() + ms
    let timer: NodeJS.Timeout | undefined
    let forget = () => {}
    const arm = (left: number) => {
      timer = setTimeout(check, Math.min(Math.ceil(left), longestTimerMs))
    }
    const check = () => {
      const left = until - performance.now()
      if (left > 0) {
        arm(left)
        return
      }
      forget()
      resolve()
    }
    if (stop !== undefined) {
      forget = stop.onStop(() => {
        clearTimeout(timer)
        resolve()
      })
    }
    arm(Math.max(0, ms))
  })

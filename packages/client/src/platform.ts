import type { World } from './transport.js'

/** Node 20, browsers and the like. */
export const platform: World = {
  fetch: (...request) => fetch(...request),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      const abort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }, ms)
      signal?.addEventListener('abort', abort, { once: true })
    }),
  random: () => Math.random(),
  newKey: () => crypto.randomUUID(),
}

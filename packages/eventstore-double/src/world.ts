import { randomUUID } from 'node:crypto'

/** Where the double meets real time and chance: it is a server, and its deadlines are real. */

export const newId = (): string => randomUUID()

export const nowMs = (): number => Date.now()

/** Calls back after `ms`; returns what takes it back. Does not keep the process alive. */
export function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms)
  timer.unref()
  return () => clearTimeout(timer)
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void after(ms, resolve))

/** Calls back when what came in this turn of the event loop has been taken in. */
export const afterThisTurn = (callback: () => void): void => {
  setImmediate(callback)
}

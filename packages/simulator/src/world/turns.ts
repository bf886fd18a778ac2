import { poison, turn } from './poison.js'

/** Taken before the globals are poisoned: the only real timer of the simulator. */
const macrotask = setImmediate

/** Rejections that nobody handled: they end a real process, so here they end the run. */
const unheard: unknown[] = []
let runs = 0
let leaveWorld = (): void => {}

/** Poisons the globals and listens for rejections until the function that comes back is called. */
export function enterWorld(): () => void {
  if (runs === 0) {
    const cure = poison()
    const unhook = hearRejections()
    leaveWorld = () => {
      unhook()
      cure()
    }
  }
  runs += 1
  return () => {
    runs -= 1
    if (runs === 0) leaveWorld()
  }
}

/** A rejection in a world is the world's to report, not the runner's to die of. */
function hearRejections(): () => void {
  const event = 'unhandledRejection'
  const others = process.rawListeners(event) as NodeJS.UnhandledRejectionListener[]
  const hear = (reason: unknown): void => {
    unheard.push(reason)
  }
  process.removeAllListeners(event)
  process.on(event, hear)
  return () => {
    process.removeListener(event, hear)
    for (const other of others) process.on(event, other)
  }
}

/** Runs an action as code of the world. */
export function act(action: () => void): void {
  turn.isUnderWay = true
  try {
    action()
  } finally {
    turn.isUnderWay = false
  }
}

/** Resolves when every promise chain has settled: a tick runs after the last promise job. */
export const settle = (): Promise<void> =>
  new Promise((resolve) => {
    turn.isUnderWay = true
    process.nextTick(() => {
      turn.isUnderWay = false
      resolve()
    })
  })

/** As `settle`; and Node tells of every rejection that nobody has handled until now. */
export const settleAndHear = (): Promise<void> =>
  new Promise((resolve) => {
    turn.isUnderWay = true
    process.nextTick(() => {
      turn.isUnderWay = false
    })
    macrotask(resolve)
  })

/** The first rejection that nobody handled since the last call. */
export function takeUnheard(): { readonly reason: unknown } | undefined {
  if (unheard.length === 0) return undefined
  const [reason] = unheard
  unheard.length = 0
  return { reason }
}

/**
 * The globals that give real time, real timers and real chance. While a world runs they throw when code of the world
 * asks for them: what a seed does not decide can't be replayed. Whoever else shares this thread, such as a test
 * runner, is not disturbed, since they throw inside a turn only.
 */

/** True from an action of the world until the last promise job that follows from it. */
export const turn = { isUnderWay: false }

type Anything = (...args: unknown[]) => unknown

const functions: readonly (readonly [owner: object, ownerName: string, name: string])[] = [
  [globalThis, '', 'setTimeout'],
  [globalThis, '', 'setInterval'],
  [globalThis, '', 'setImmediate'],
  [Date, 'Date.', 'now'],
  [Math, 'Math.', 'random'],
  [Reflect.get(globalThis, 'performance') as object, 'performance.', 'now'],
  [Reflect.get(process, 'hrtime') as object, 'process.hrtime.', 'bigint'],
  [process, 'process.', 'hrtime'],
  [process, 'process.', 'uptime'],
  [globalThis.crypto, 'crypto.', 'randomUUID'],
  [globalThis.crypto, 'crypto.', 'getRandomValues'],
]

const refusal = (name: string): Error =>
  new Error(`${name} in a world: time, waits and chance come from the process' clock and random.`)

/** Puts the poison in. The function that comes back takes it out, and leaves everything as it was. */
export function poison(): () => void {
  const cures = functions.map(([owner, ownerName, name]) => guard(owner, name, ownerName + name))
  cures.push(guardDate())
  return () => {
    for (const cure of cures) cure()
  }
}

function guard(owner: object, name: string, shownAs: string): () => void {
  const real = Reflect.get(owner, name) as Anything
  const guarded = new Proxy(real, {
    apply(target, self, args) {
      if (turn.isUnderWay) throw refusal(shownAs)
      return Reflect.apply(target, self, args)
    },
  })
  return replace(owner, name, guarded)
}

/** `new Date(instant)` only writes a time in another way; without arguments it reads the clock. */
function guardDate(): () => void {
  const guarded = new Proxy(Date, {
    apply(target, self, args) {
      if (turn.isUnderWay) throw refusal('Date()')
      return Reflect.apply(target, self, args)
    },
    construct(target, args, made) {
      if (args.length === 0 && turn.isUnderWay) throw refusal('new Date()')
      return Reflect.construct(target, args, made)
    },
  })
  return replace(globalThis, 'Date', guarded)
}

/** What was inherited, or a getter, is so again afterwards. */
function replace(owner: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name)
  Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: false })
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, name)
    else Object.defineProperty(owner, name, before)
  }
}

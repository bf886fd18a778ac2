import type { LinkState } from './types.js'
import type { SimWorld } from './world.js'

interface Message {
  readonly at: number
  readonly arrive: () => void
}

/** A clog may be cleared before its time: so often somebody looks. Milliseconds. */
const lookAgainMs = 200

/** One direction of a connection: what is sent first arrives first. */
export class Lane {
  private readonly world: SimWorld
  private readonly link: LinkState
  private readonly underWay: Message[] = []
  private lastArrival = 0
  /** Messages have been held back, so that each action no longer has a message of its own. */
  private isBehind = false

  constructor(world: SimWorld, link: LinkState) {
    this.world = world
    this.link = link
  }

  send(ms: number, arrive: () => void): void {
    const { world } = this
    const { at } = world.schedule(Math.max(ms, this.lastArrival - world.time), this.arrival)
    this.lastArrival = at
    this.underWay.push({ at, arrive })
  }

  /** Off the queue: later messages may come first. */
  sendApart(ms: number, arrive: () => void): void {
    this.world.schedule(ms, () => {
      const held = this.heldMs()
      if (held > 0) this.sendApart(held, arrive)
      else arrive()
    })
  }

  /** There is one such action for each message; each lets the first one through, whichever it was made for. */
  private readonly arrival = (): void => {
    const first = this.underWay[0]
    if (first === undefined || first.at > this.world.time) return
    const held = this.heldMs()
    if (held > 0) {
      this.isBehind = true
      this.world.schedule(held, this.arrival)
      return
    }
    this.underWay.shift()
    first.arrive()
    if (this.isBehind) this.catchUp()
  }

  private catchUp(): void {
    const next = this.underWay[0]
    if (next === undefined) this.isBehind = false
    else if (next.at <= this.world.time) this.world.schedule(0, this.arrival)
  }

  /** How long to wait before looking again; 0 or less: the way is clear. */
  private heldMs(): number {
    const held = this.link.cloggedUntil - (this.world.start + this.world.time)
    if (held > 0) this.world.count('fault: message held back')
    return Math.min(held, lookAgainMs)
  }
}

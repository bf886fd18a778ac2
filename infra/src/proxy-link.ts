import type { Socket } from 'node:net'

export type Direction = 'to-broker' | 'to-client'

/** How a link behaves for all its connections. */
export interface LinkState {
  /** Each message takes this long, and up to `jitterMs` more. Messages of a connection stay in order. */
  readonly latencyMs: number
  readonly jitterMs: number
  /** What all connections together get through in each direction; null: no limit. */
  readonly bytesPerSecond: number | null
  /** Nothing of that direction gets through, not even the end of a connection; after it all arrives. */
  readonly blackhole: Direction | 'both' | 'none'
  /** Connections that come now are reset at once. */
  readonly refusesNew: boolean
}

export const healthyLink: LinkState = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: null,
  blackhole: 'none',
  refusesNew: false,
}

export class Link {
  private current = healthyLink
  private readonly busyUntil = { 'to-broker': 0, 'to-client': 0 }
  private readonly random: () => number
  private wakes: (() => void)[] = []

  constructor(random: () => number) {
    this.random = random
  }

  get state(): LinkState {
    return this.current
  }

  change(changes: Partial<LinkState>): void {
    this.current = { ...this.current, ...changes }
    const wakes = this.wakes
    this.wakes = []
    for (const wake of wakes) wake()
  }

  /** True: what is sent now in that direction arrives now. */
  isClear(direction: Direction): boolean {
    const { latencyMs, jitterMs, bytesPerSecond } = this.current
    return latencyMs === 0 && jitterMs === 0 && bytesPerSecond === null && this.isOpen(direction)
  }

  /** When a message that is sent now may arrive at the earliest. */
  arrival(): number {
    const { latencyMs, jitterMs } = this.current
    return performance.now() + latencyMs + jitterMs * this.random()
  }

  /** Resolves when the message has got through. */
  async passage(direction: Direction, bytes: number, arrival: number): Promise<void> {
    const { bytesPerSecond } = this.current
    let until = arrival
    if (bytesPerSecond !== null) {
      const begins = Math.max(performance.now(), this.busyUntil[direction])
      this.busyUntil[direction] = begins + (1000 * bytes) / bytesPerSecond
      until = Math.max(arrival, this.busyUntil[direction])
    }
    await sleep(until - performance.now())
    while (!this.isOpen(direction)) await new Promise<void>((resolve) => this.wakes.push(resolve))
  }

  private isOpen(direction: Direction): boolean {
    const { blackhole } = this.current
    return blackhole !== direction && blackhole !== 'both'
  }
}

export const sleep = (ms: number): Promise<void> =>
  ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms))

interface Item {
  /** Undefined: the end of the connection. */
  readonly frame: Buffer | undefined
  readonly gate: Promise<unknown> | undefined
  readonly arrival: number
}

/** When more than this is under way, the sender has to wait, as when a socket's buffers are full. */
const fullAtBytes = 16 * 2 ** 20

export interface LaneParts {
  readonly link: Link
  readonly direction: Direction
  readonly from: Socket
  readonly to: Socket
}

/** One direction of one connection. Everything leaves in the order in which it came. */
export class Lane {
  private readonly parts: LaneParts
  private readonly queue: Item[] = []
  private bytes = 0
  private isEnding = false

  constructor(parts: LaneParts) {
    this.parts = parts
  }

  get isIdle(): boolean {
    return this.queue.length === 0
  }

  /** With a gate the frame, and all behind it, wait until that is settled. */
  push(frame: Buffer, gate?: Promise<unknown>): void {
    const { link, direction, to } = this.parts
    const isDirect = this.isIdle && gate === undefined && link.isClear(direction)
    if (isDirect && !to.writableNeedDrain) {
      if (to.writable) to.write(frame)
      return
    }
    this.enqueue({ frame, gate, arrival: link.arrival() })
  }

  /** Ends the connection behind all that is under way, once the gate is settled. */
  end(gate?: Promise<unknown>): void {
    if (this.isEnding) return
    this.isEnding = true
    this.enqueue({ frame: undefined, gate, arrival: this.parts.link.arrival() })
  }

  private enqueue(item: Item): void {
    this.queue.push(item)
    this.bytes += item.frame?.length ?? 0
    if (this.bytes > fullAtBytes) this.parts.from.pause()
    if (this.queue.length === 1) void this.run()
  }

  private async run(): Promise<void> {
    const { link, direction, from } = this.parts
    for (let item = this.queue[0]; item !== undefined; item = this.queue[0]) {
      await item.gate
      await link.passage(direction, item.frame?.length ?? 0, item.arrival)
      await this.pass(item.frame)
      this.queue.shift()
      this.bytes -= item.frame?.length ?? 0
      if (this.bytes <= fullAtBytes && from.isPaused()) from.resume()
    }
  }

  private async pass(frame: Buffer | undefined): Promise<void> {
    const { to } = this.parts
    if (!to.writable && !to.connecting) return
    if (frame === undefined) {
      to.end()
      return
    }
    if (to.write(frame)) return
    await new Promise<void>((resolve) => {
      const go = () => {
        to.off('drain', go)
        to.off('close', go)
        resolve()
      }
      to.on('drain', go)
      to.on('close', go)
    })
  }
}

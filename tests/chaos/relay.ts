import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Where a relay leads to. */
export interface Target {
  readonly host: string
  readonly port: number
}

type Mode = 'open' | 'cut' | 'silent'

/** One way of the network between a node and a server, which can be broken apart from all others. */
export class Relay {
  readonly port: number
  private readonly target: Target
  private readonly server: Server
  private readonly pairs = new Set<Pair>()
  private mode: Mode = 'open'
  private delayMs = 0

  private constructor(target: Target, server: Server, port: number) {
    this.target = target
    this.server = server
    this.port = port
    server.on('connection', (socket) => this.accept(socket))
  }

  static async open(target: Target): Promise<Relay> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('a relay has no port')
    return new Relay(target, server, address.port)
  }

  /** What is connected is cut off, and whoever connects is refused, until `heal`. */
  cut(): void {
    this.mode = 'cut'
    for (const pair of this.pairs) pair.destroy()
  }

  /** Nothing gets through, and nobody is told; what was sent meanwhile arrives after `heal`. */
  silence(): void {
    this.mode = 'silent'
    for (const pair of this.pairs) pair.pause()
  }

  /** Each way takes that much longer. */
  delay(ms: number): void {
    this.delayMs = ms
  }

  heal(): void {
    this.mode = 'open'
    this.delayMs = 0
    for (const pair of this.pairs) pair.resume()
  }

  async close(): Promise<void> {
    this.cut()
    this.server.close()
    await once(this.server, 'close')
  }

  private accept(socket: Socket): void {
    if (this.mode === 'cut') {
      socket.destroy()
      return
    }
    const pair = new Pair(socket, this.target, () => this.delayMs)
    this.pairs.add(pair)
    pair.onEnd = () => void this.pairs.delete(pair)
    if (this.mode === 'silent') pair.pause()
    else pair.resume()
  }
}

/** A client's connection and the one that is made for it. */
class Pair {
  onEnd: () => void = () => {}
  private readonly near: Socket
  private readonly target: Target
  private readonly delayMs: () => number
  private far: Socket | undefined
  private isPaused = false

  constructor(near: Socket, target: Target, delayMs: () => number) {
    this.near = near
    this.target = target
    this.delayMs = delayMs
    near.pause()
    near.on('error', () => this.destroy())
    near.on('close', () => this.destroy())
  }

  pause(): void {
    this.isPaused = true
    this.near.pause()
    this.far?.pause()
  }

  resume(): void {
    this.isPaused = false
    this.far ??= this.dial()
    this.near.resume()
    this.far.resume()
  }

  destroy(): void {
    this.near.destroy()
    this.far?.destroy()
    this.onEnd()
  }

  private dial(): Socket {
    const { host, port } = this.target
    const far = connect({ host, port, noDelay: true })
    far.on('error', () => this.destroy())
    far.on('close', () => this.destroy())
    this.forward(this.near, far)
    this.forward(far, this.near)
    return far
  }

  /** In order, whatever the delay is. */
  private forward(from: Socket, to: Socket): void {
    const waiting: Buffer[] = []
    const next = (): void => {
      // What was on its way when everything fell silent waits with the rest.
      if (to.destroyed) return
      if (this.isPaused) setTimeout(next, 20)
      else to.write(waiting.shift() ?? Buffer.alloc(0))
    }
    from.on('data', (piece) => {
      const delayMs = this.delayMs()
      if (delayMs === 0 && waiting.length === 0) {
        to.write(piece)
      } else {
        waiting.push(piece)
        setTimeout(next, delayMs)
      }
    })
    from.on('end', () => setTimeout(() => to.end(), this.delayMs()))
  }
}

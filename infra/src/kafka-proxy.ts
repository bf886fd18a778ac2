import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { correlationIdOf, FrameSplitter, type KafkaRequest, readRequest } from './kafka-protocol.js'
import { type Fate, ProxyFaults } from './proxy-faults.js'
import { healthyLink, Lane, Link, type LinkState } from './proxy-link.js'

export interface KafkaProxyOptions {
  /** The broker's listener. What that advertises has to be the proxy's own place, or clients go round it. */
  readonly target: { readonly host: string; readonly port: number }
  /** Where clients connect to. Default: a free port. */
  readonly port?: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** For jitter, in [0, 1). Default: `Math.random`. */
  readonly random?: () => number
  /** Hears of every request when it comes from a client. */
  readonly onRequest?: (request: KafkaRequest) => void
  /** Hears of every answer when it comes from the broker, as a whole frame with its size. */
  readonly onAnswer?: (request: KafkaRequest, frame: Buffer) => void
}

/**
 * Stands between clients and one listener of a broker. It knows requests from their answers, so that a fault can be
 * aimed at the end of one transaction.
 */
export class KafkaProxy {
  /** What is done to single requests. */
  readonly faults = new ProxyFaults()
  private readonly options: KafkaProxyOptions
  private readonly link: Link
  private readonly server: Server
  private readonly connections = new Set<ProxiedConnection>()

  private constructor(options: KafkaProxyOptions) {
    this.options = options
    this.link = new Link(options.random ?? Math.random)
    this.server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => this.accept(client))
  }

  static async start(options: KafkaProxyOptions): Promise<KafkaProxy> {
    const proxy = new KafkaProxy(options)
    proxy.server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
    await once(proxy.server, 'listening')
    return proxy
  }

  get port(): number {
    const address = this.server.address()
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen')
    return address.port
  }

  get linkState(): LinkState {
    return this.link.state
  }

  /** Connections that clients have open. */
  get clients(): number {
    return [...this.connections].filter(({ hasClient }) => hasClient).length
  }

  /** What is not named stays as it is. */
  changeLink(changes: Partial<LinkState>): void {
    this.link.change(changes)
  }

  /** The link is well again, and no fault is waiting any more; requests that are held back are let go. */
  heal(): void {
    this.link.change(healthyLink)
    this.faults.clear()
  }

  /** Resets all connections. What is held back by a fault still reaches the broker later. */
  cut(): void {
    for (const connection of this.connections) connection.cut()
  }

  async stop(): Promise<void> {
    this.server.close()
    for (const connection of this.connections) connection.destroy()
    this.heal()
    if (this.server.listening) await once(this.server, 'close')
  }

  private accept(client: Socket): void {
    if (this.link.state.refusesNew) {
      client.resetAndDestroy()
      return
    }
    const { target, onRequest, onAnswer } = this.options
    const broker = connect({ ...target, noDelay: true, allowHalfOpen: true })
    const { link, faults } = this
    const connection = new ProxiedConnection({ client, broker, link, faults, onRequest, onAnswer }, () =>
      this.connections.delete(connection),
    )
    this.connections.add(connection)
  }
}

interface ConnectionParts {
  readonly client: Socket
  readonly broker: Socket
  readonly link: Link
  readonly faults: ProxyFaults
  readonly onRequest: KafkaProxyOptions['onRequest']
  readonly onAnswer: KafkaProxyOptions['onAnswer']
}

interface Asked {
  readonly request: KafkaRequest
  readonly fate: Fate
}

class ProxiedConnection {
  private readonly parts: ConnectionParts
  private readonly toBroker: Lane
  private readonly toClient: Lane
  /** What has been asked and not been answered, by correlation id. */
  private readonly asked = new Map<number, Asked>()
  private allAnswered = () => {}

  constructor(parts: ConnectionParts, onOver: () => void) {
    this.parts = parts
    const { client, broker, link } = parts
    this.toBroker = new Lane({ link, direction: 'to-broker', from: client, to: broker })
    this.toClient = new Lane({ link, direction: 'to-client', from: broker, to: client })
    this.listen(
      client,
      (frame) => this.ask(frame),
      () => this.toBroker.end(this.untilAnswered()),
    )
    this.listen(
      broker,
      (frame) => this.answer(frame),
      () => this.brokerIsGone(),
    )
    broker.on('close', onOver)
  }

  get hasClient(): boolean {
    return !this.parts.client.destroyed
  }

  cut(): void {
    const { client, broker } = this.parts
    client.resetAndDestroy()
    if (this.toBroker.isIdle) broker.resetAndDestroy()
  }

  destroy(): void {
    this.parts.client.destroy()
    this.parts.broker.destroy()
  }

  private listen(socket: Socket, onFrame: (frame: Buffer) => void, onEnd: () => void): void {
    const splitter = new FrameSplitter()
    socket.on('data', (piece) => {
      try {
        for (const frame of splitter.push(piece)) onFrame(frame)
      } catch (error) {
        // Whoever speaks anything but Kafka's protocol is not served.
        if (!(error instanceof RangeError)) throw error
        this.destroy()
      }
    })
    socket.on('end', onEnd)
    // What failed is told by `close`.
    socket.on('error', () => {})
    socket.on('close', onEnd)
  }

  private ask(frame: Buffer): void {
    const request = readRequest(frame)
    this.parts.onRequest?.(request)
    const fate = this.parts.faults.fateOf(request)
    if (request.isAnswered && !fate.isRequestLost) this.asked.set(request.correlationId, { request, fate })
    if (!fate.isRequestLost) this.toBroker.push(frame, fate.requestGate)
    if (fate.isRequestLost && fate.thenResets) this.cut()
  }

  private answer(frame: Buffer): void {
    const asked = this.asked.get(correlationIdOf(frame))
    if (asked === undefined) {
      this.toClient.push(frame)
      return
    }
    const { request, fate } = asked
    this.asked.delete(request.correlationId)
    this.parts.onAnswer?.(request, frame)
    if (fate.isAnswerLost) {
      fate.onAnswerLost()
      if (fate.thenResets) this.cut()
    } else {
      this.toClient.push(frame, fate.answerGate?.())
    }
    if (this.asked.size === 0) this.allAnswered()
  }

  /** The broker may finish what a client has asked before it went. */
  private untilAnswered(): Promise<void> | undefined {
    if (this.asked.size === 0) return undefined
    return new Promise((resolve) => {
      this.allAnswered = resolve
    })
  }

  private brokerIsGone(): void {
    this.allAnswered()
    this.toClient.end()
  }
}

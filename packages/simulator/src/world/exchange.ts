import { outcomeUnknown, unavailable } from '@almanac/engine'
import { Lane } from './lane.js'
import type { Link, ServiceState } from './network.js'
import type { CallOptions, Serve } from './types.js'
import type { SimWorld } from './world.js'

/** How much later than the first copy, at most, a doubled or overtaken message arrives. Milliseconds. */
const straggleMs = 500

/** Both directions between one process and one service under one name. */
export class Connection {
  readonly world: SimWorld
  readonly link: Link
  readonly service: ServiceState
  readonly there: Lane
  readonly back: Lane

  constructor(world: SimWorld, process: string, service: string) {
    this.world = world
    this.link = world.network.linkOf(process, service)
    this.service = world.network.service(service)
    this.there = new Lane(world, this.link.state)
    this.back = new Lane(world, this.link.state)
  }

  hopMs(): number {
    const { latencyMs, jitterMs } = this.link.state
    return latencyMs + jitterMs * this.link.random.next()
  }

  /** Draws whether a fault of this rate happens now, and counts it. */
  happens(fault: string, rate: number): boolean {
    if (rate === 0 || this.link.random.next() >= rate) return false
    this.world.count(`fault: ${fault}`)
    return true
  }

  straggleMs(): number {
    return straggleMs * this.link.random.next()
  }
}

/** What an exchange needs of the process that calls. */
export interface Caller {
  readonly name: string
  /** Runs `action` at the process, or later when it is paused, or never. */
  deliver(action: () => void): void
  /** Runs `action` when the process' clock has counted `ms`. The function that comes back prevents it. */
  afterElapsed(ms: number, action: () => void): () => void
  /** False when the process crashes here. */
  passesAwait(): boolean
}

/** One call: a request, maybe doubled, and the first answer that arrives before the deadline. */
export class Exchange<T> {
  private readonly caller: Caller
  private readonly connection: Connection
  private readonly options: CallOptions
  private readonly serve: Serve<T>
  private readonly resolve: (value: T) => void
  private readonly reject: (error: unknown) => void
  private readonly cancelDeadline: () => void
  private isOver = false

  constructor(
    caller: Caller,
    connection: Connection,
    options: CallOptions,
    serve: Serve<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.caller = caller
    this.connection = connection
    this.options = options
    this.serve = serve
    this.resolve = resolve
    this.reject = reject
    this.cancelDeadline = caller.afterElapsed(options.deadlineMs, () => this.giveUp())
    connection.world.count(`call: ${options.service} ${options.label}`)
    this.begin()
  }

  private begin(): void {
    const { connection } = this
    const { state } = connection.link
    if (state.cut === 'refused' || connection.service.isDown) {
      connection.world.count(`fault: ${this.options.service} refused`)
      connection.world.schedule(connection.hopMs(), () => this.fail('refused the connection', true))
      return
    }
    this.sendRequest(false)
    if (connection.happens('request doubled', state.duplication)) this.sendRequest(true)
  }

  private sendRequest(isCopy: boolean): void {
    const { state } = this.connection.link
    if (this.isCutOff() || this.connection.happens('request lost', state.requestLoss)) return
    this.hop(this.connection.there, this.connection.service.slowMs, isCopy, () => this.arrive())
  }

  private hop(lane: Lane, extraMs: number, isCopy: boolean, arrive: () => void): void {
    const { connection } = this
    const ms = connection.hopMs() + extraMs
    const straggles = isCopy || connection.happens('message overtaken', connection.link.state.reordering)
    if (straggles) lane.sendApart(ms + connection.straggleMs(), arrive)
    else lane.send(ms, arrive)
  }

  private arrive(): void {
    const { world, service } = this.connection
    if (this.isCutOff()) return
    if (service.isDown) {
      this.reset()
      return
    }
    world.trace(`${this.caller.name}>${this.options.service} ${this.options.label}`)
    // What is served may wake somebody who waits at the service.
    world.touch()
    const { life } = service
    const answer = (settle: () => void): void => {
      if (service.life === life && !service.isDown) this.answer(settle)
      else this.reset()
    }
    try {
      const result = this.serve()
      if (!isPromise(result)) {
        answer(() => this.resolve(result))
        return
      }
      result.then(
        (value) => answer(() => this.resolve(value)),
        (error: unknown) => answer(() => this.reject(error)),
      )
    } catch (error) {
      answer(() => this.reject(error))
    }
  }

  private answer(settle: () => void): void {
    const { connection } = this
    if (this.isCutOff() || connection.happens('answer lost', connection.link.state.answerLoss)) return
    this.hop(connection.back, 0, false, () => {
      if (!this.isCutOff()) this.settle('', settle)
    })
  }

  /** Nothing gets through. The one who waits for an answer hears that the connection broke, or nothing. */
  private isCutOff(): boolean {
    const { cut } = this.connection.link.state
    if (cut === 'none') return false
    this.connection.world.count('fault: cut off')
    if (cut === 'refused') this.reset()
    return true
  }

  private reset(): void {
    const { connection } = this
    connection.world.count('fault: connection broke')
    connection.world.schedule(connection.hopMs(), () => this.fail('broke the connection', false))
  }

  private giveUp(): void {
    this.connection.world.count('fault: deadline passed')
    this.fail('did not answer in time', false)
  }

  private fail(what: string, isSurelyUndone: boolean): void {
    const { service, label, isWrite } = this.options
    const message = `${service} ${what} (${label}).`
    const fault = isSurelyUndone || !isWrite ? unavailable(message) : outcomeUnknown(message)
    this.settle(fault.code, () => this.reject(fault))
  }

  /** `how` is what the trace shows; '' for an answer. */
  private settle(how: string, settle: () => void): void {
    this.caller.deliver(() => {
      if (this.isOver) return
      this.isOver = true
      this.cancelDeadline()
      if (!this.caller.passesAwait()) return
      const { world } = this.connection
      world.trace(`${this.caller.name}<${this.options.service} ${this.options.label} ${how}`)
      world.touch()
      settle()
    })
  }
}

const isPromise = <T>(value: T | Promise<T>): value is Promise<T> => value instanceof Promise

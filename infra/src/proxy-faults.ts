import type { KafkaApi, KafkaRequest } from './kafka-protocol.js'
import { sleep } from './proxy-link.js'

/** Which requests a fault is for: all that is given has to fit. */
export interface RequestMatch {
  readonly api?: KafkaApi
  readonly transactionalId?: string
  readonly clientId?: string
}

export interface FaultOptions {
  /** How many requests it strikes. Default: 1. */
  readonly times?: number
  /** The connection is reset as well, so that the client knows at once that something is wrong. Default: false. */
  readonly thenResets?: boolean
}

/** A fault that waits for its requests. */
export interface Fault {
  /** How many requests it has struck so far. */
  readonly hits: number
  /** Resolves when it has struck for the first time: a lost answer has come from the broker by then. */
  readonly struck: Promise<KafkaRequest>
  /** It strikes no more. What it holds back is let go. */
  end(): void
}

/** What happens to one request. */
export interface Fate {
  readonly isRequestLost: boolean
  readonly isAnswerLost: boolean
  readonly thenResets: boolean
  /** The request waits for it, and so does what comes behind it on the same connection. */
  readonly requestGate?: Promise<unknown>
  /** Called when the answer is there; that waits for it. */
  answerGate?(): Promise<unknown>
  onAnswerLost(): void
}

const untouched: Fate = {
  isRequestLost: false,
  isAnswerLost: false,
  thenResets: false,
  onAnswerLost: () => {},
}

/** Faults of single requests. Of several that fit, the one that was ordered first strikes. */
export class ProxyFaults {
  private readonly waiting = new Set<OrderedFault>()

  /** The broker does what it is asked, and nobody hears of it. */
  loseAnswer(match: RequestMatch, options: FaultOptions = {}): Fault {
    return this.order(match, options, (request, fault) => ({
      ...untouched,
      isAnswerLost: true,
      thenResets: options.thenResets === true,
      onAnswerLost: () => fault.strike(request),
    }))
  }

  /** The broker never hears of it. */
  loseRequest(match: RequestMatch, options: FaultOptions = {}): Fault {
    return this.order(match, options, (request, fault) => {
      fault.strike(request)
      return { ...untouched, isRequestLost: true, thenResets: options.thenResets === true }
    })
  }

  /**
   * The request reaches the broker only after `ms`, or when the fault is ended, even if the client has gone by then.
   * What comes behind it on the same connection waits too, as with TCP.
   */
  holdRequest(match: RequestMatch, ms = Number.POSITIVE_INFINITY, options: FaultOptions = {}): Fault {
    return this.order(match, options, (request, fault) => {
      fault.strike(request)
      const time = ms === Number.POSITIVE_INFINITY ? [] : [sleep(ms)]
      return { ...untouched, requestGate: Promise.race([...time, fault.ended]) }
    })
  }

  /** The broker has done it, and its answer arrives `ms` later, or when the fault is ended. */
  delayAnswer(match: RequestMatch, ms: number, options: FaultOptions = {}): Fault {
    return this.order(match, options, (request, fault) => ({
      ...untouched,
      answerGate: () => {
        fault.strike(request)
        return Promise.race([sleep(ms), fault.ended])
      },
    }))
  }

  /** Ends all of them. */
  clear(): void {
    for (const fault of [...this.waiting]) fault.end()
  }

  fateOf(request: KafkaRequest): Fate {
    for (const fault of this.waiting) {
      const fate = fault.take(request)
      if (fate !== undefined) return fate
    }
    return untouched
  }

  private order(
    match: RequestMatch,
    options: FaultOptions,
    fate: (request: KafkaRequest, fault: OrderedFault) => Fate,
  ): Fault {
    const fault = new OrderedFault(match, options, fate, () => this.waiting.delete(fault))
    this.waiting.add(fault)
    return fault
  }
}

class OrderedFault implements Fault {
  hits = 0
  readonly struck: Promise<KafkaRequest>
  readonly ended: Promise<void>
  end: () => void = () => {}
  private readonly match: RequestMatch
  private readonly fate: (request: KafkaRequest, fault: OrderedFault) => Fate
  private left: number
  private onStruck: (request: KafkaRequest) => void = () => {}

  constructor(
    match: RequestMatch,
    { times = 1 }: FaultOptions,
    fate: (request: KafkaRequest, fault: OrderedFault) => Fate,
    onEnd: () => void,
  ) {
    this.match = match
    this.fate = fate
    this.left = times
    this.struck = new Promise((resolve) => {
      this.onStruck = resolve
    })
    this.ended = new Promise((resolve) => {
      this.end = () => {
        this.left = 0
        onEnd()
        resolve()
      }
    })
  }

  take(request: KafkaRequest): Fate | undefined {
    if (this.left === 0 || !fits(this.match, request)) return undefined
    this.left -= 1
    return this.fate(request, this)
  }

  strike(request: KafkaRequest): void {
    this.hits += 1
    this.onStruck(request)
  }
}

const fits = ({ api, transactionalId, clientId }: RequestMatch, request: KafkaRequest): boolean =>
  (api === undefined || api === request.api) &&
  (transactionalId === undefined || transactionalId === request.transactionalId) &&
  (clientId === undefined || clientId === request.clientId)

import { unavailable } from '@almanac/engine'
import type { Process, Serve } from '../world/types.js'
import type { Answer, KafkaError } from './protocol.js'

export interface CallSettings {
  /** The service's name in the world. */
  readonly service: string
  /** A request that is not answered within this long is given up, ms. */
  readonly requestTimeoutMs: number
  /** With all its retries, an operation is given up after this long, ms. */
  readonly deadlineMs: number
  /** The wait before the first retry, ms; it doubles with each, give or take a fifth. */
  readonly initialRetryMs: number
  /** A wait before a retry is no longer than this, ms, give or take a fifth. */
  readonly maxRetryMs: number
}

/** The requests of one process to the brokers. */
export class BrokerCalls {
  readonly process: Process
  readonly settings: CallSettings

  constructor(process: Process, settings: CallSettings) {
    this.process = process
    this.settings = settings
  }

  /** A request that changes something. A connection never delivers it twice, as with TCP. */
  write<T>(label: string, connection: string, serve: () => T): Promise<T> {
    let answer: { readonly value: T } | undefined
    return this.request(label, connection, true, 0, () => {
      answer ??= { value: serve() }
      return answer.value
    })
  }

  /** `waitMs`: how long the broker itself may take its time. */
  read<T>(label: string, connection: string, waitMs: number, serve: Serve<T>): Promise<T> {
    return this.request(label, connection, false, waitMs, serve)
  }

  private request<T>(
    label: string,
    connection: string,
    isWrite: boolean,
    waitMs: number,
    serve: Serve<T>,
  ): Promise<T> {
    const { service, requestTimeoutMs } = this.settings
    return this.process.call(
      { service, label, connection, isWrite, deadlineMs: requestTimeoutMs + waitMs },
      serve,
    )
  }

  /** Asks again while the answer is one of those that pass, until the deadline; then gives the last answer. */
  async retrying<T>(passing: ReadonlySet<KafkaError>, ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const { deadlineMs, initialRetryMs, maxRetryMs } = this.settings
    const { clock, random } = this.process
    const since = clock.elapsed()
    for (let waitMs = initialRetryMs; ; waitMs = Math.min(2 * waitMs, maxRetryMs)) {
      const answer = await ask()
      if (answer.ok || !passing.has(answer.error)) return answer
      if (clock.elapsed() - since > deadlineMs) return answer
      await clock.sleep(waitMs * (0.8 + 0.4 * random.next()))
    }
  }
}

/** The coordinator is elsewhere, or does not know yet, or is still busy with the transaction before. */
export const coordinatorPasses: ReadonlySet<KafkaError> = new Set<KafkaError>([
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
])

/** Somebody else has the transactional id, or the broker has ended the transaction itself. */
export const fencedErrors: ReadonlySet<KafkaError> = new Set<KafkaError>([
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
])

export const refusal = (label: string, error: KafkaError) => unavailable(`${label} was refused: ${error}`)

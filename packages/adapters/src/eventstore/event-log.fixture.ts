import type { RecordedEvent, StoredEvent } from '@almanac/domain'
import { createStop, type EventLog, type PortFault } from '@almanac/engine'
import { type DoubleOptions, type EventStoreDouble, startDouble } from '@almanac/eventstore-double'
import { systemClock, systemRandom } from '../system/index.js'
import { EventStoreLog, type EventStoreLogOptions, parseEventStore } from './index.js'

export const event = (id: string, data: unknown = { id }): StoredEvent => ({
  id,
  type: 'Happened',
  version: 1,
  data,
  metadata: { namespace: 'n', actor: 'a', at: 1_700_000_000_000, correlationId: 'c', previousHash: '' },
})

export const events = (prefix: string, count: number): readonly StoredEvent[] =>
  Array.from({ length: count }, (_, index) => event(`${prefix}-${index}`))

export const idsOf = (list: readonly { readonly id: string }[]): readonly string[] => list.map(({ id }) => id)

/** What a call came to: its value, or the code of the fault that it threw. */
export const outcomeOf = async <T>(promise: Promise<T>): Promise<T | PortFault['code']> =>
  promise.catch((fault: PortFault) => fault.code)

/** Doubles and logs of one test, to be closed with it. */
export class Bench {
  readonly doubles: EventStoreDouble[] = []
  readonly logs: EventStoreLog[] = []
  readonly faults: string[] = []

  async double(options: DoubleOptions = {}): Promise<EventStoreDouble> {
    // Something of the system's between nearly all that is ours.
    const double = await startDouble({ systemEventEvery: 3, ...options })
    this.doubles.push(double)
    return double
  }

  log(connectionString: string, options: Partial<EventStoreLogOptions> = {}): EventStoreLog {
    const log = new EventStoreLog({
      address: parseEventStore(connectionString),
      prefix: 'almanac.',
      clock: systemClock(),
      random: systemRandom(),
      deadlineMs: 2_000,
      retryMs: 10,
      longestRetryMs: 50,
      onFault: (_message, fault) => this.faults.push(fault.message),
      ...options,
    })
    this.logs.push(log)
    return log
  }

  async close(): Promise<void> {
    for (const log of this.logs) await log.close()
    for (const double of this.doubles) await double.stop()
  }
}

/** A follower with all that it was given. */
export class Follower {
  readonly events: RecordedEvent[] = []
  readonly positions: number[] = []
  readonly stop = createStop()
  readonly ended: Promise<void>
  #told = () => {}

  constructor(log: EventLog, after = 0) {
    this.ended = this.#run(log, after)
    this.ended.catch(() => this.#told())
  }

  async #run(log: EventLog, after: number): Promise<void> {
    for await (const page of log.follow(after, this.stop)) {
      this.events.push(...page.events)
      this.positions.push(page.position)
      this.#told()
    }
  }

  get ids(): readonly string[] {
    return idsOf(this.events)
  }

  /** Resolves when it has so many events. */
  async has(count: number): Promise<void> {
    await this.until(() => this.events.length >= count)
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        this.#told = resolve
      })
    }
  }

  async end(): Promise<void> {
    this.stop.stop()
    await this.ended
  }
}

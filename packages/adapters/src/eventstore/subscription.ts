import type { Position } from '@almanac/domain'
import { createStop, type Stop, unavailable } from '@almanac/engine'
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import type { ReadCall } from './connection.js'
import { readFault } from './faults.js'
import { placeOf } from './place.js'
import type { ReadParts } from './reads.js'
import { type WireRecord, wireRecordOf } from './stored-event.js'

/** Events in one page: what is there is taken, up to this. */
const pageSize = 500
/** The server is asked to wait when so many messages lie about here. */
const fullAt = 4 * pageSize

export interface WirePage {
  readonly records: readonly WireRecord[]
  /** Of the last event or checkpoint; undefined: the server said nothing of a place. */
  readonly position: Position | undefined
}

/** One subscription, for as long as its connection lasts. */
export class Subscription {
  readonly #parts: ReadParts
  readonly #call: ReadCall
  #messages: Streams.ReadResp[] = []
  #error: unknown
  #isFull = false
  #woken = createStop()
  #isConfirmed = false

  constructor(parts: ReadParts, call: ReadCall) {
    this.#parts = parts
    this.#call = call
    call.on('data', (message: Streams.ReadResp) => this.#take(message))
    call.on('error', (error) => this.#end(error))
    call.on('end', () => this.#end(new Error('The server has ended the subscription.')))
  }

  #take(message: Streams.ReadResp): void {
    this.#parts.onHeard()
    if (message.hasConfirmation()) this.#isConfirmed = true
    this.#messages.push(message)
    if (!this.#isFull && this.#messages.length >= fullAt) {
      this.#isFull = true
      this.#call.pause()
    }
    this.#woken.stop()
  }

  #end(error: unknown): void {
    this.#error ??= error
    this.#woken.stop()
  }

  cancel(): void {
    this.#call.cancel()
  }

  /**
   * What there is, at once; else what comes first within `ms`, or `'silence'`. Throws `unavailable` when the connection
   * has broken and all that came before is taken.
   */
  async next(ms: number, stop: Stop): Promise<WirePage | 'silence'> {
    if (this.#messages.length === 0 && this.#error === undefined && !stop.stopped) await this.#wait(ms, stop)
    if (this.#messages.length > 0) return this.#page()
    if (this.#error !== undefined) throw readFault(this.#parts.name, this.#error)
    return 'silence'
  }

  /** Resolves when the server has confirmed the subscription; throws `unavailable` when it does not. */
  async confirmed(stop: Stop): Promise<void> {
    const { clock, deadlineMs, name, onSilence } = this.#parts
    const until = clock.elapsed() + deadlineMs
    while (!this.#isConfirmed && !stop.stopped) {
      if (this.#error !== undefined) throw readFault(name, this.#error)
      const left = until - clock.elapsed()
      if (left <= 0) {
        onSilence()
        throw unavailable(`The event store ${name} did not confirm a subscription in ${deadlineMs} ms.`)
      }
      await this.#wait(left, stop)
    }
  }

  async #wait(ms: number, stop: Stop): Promise<void> {
    const woken = createStop()
    this.#woken = woken
    const forget = stop.onStop(() => woken.stop())
    await this.#parts.clock.sleep(ms, woken)
    forget()
  }

  #page(): WirePage {
    const taken = this.#messages.splice(0, pageSize)
    if (this.#isFull && this.#messages.length < fullAt / 2) {
      this.#isFull = false
      this.#call.resume()
    }
    let position: Position | undefined
    const records: WireRecord[] = []
    for (const message of taken) {
      const place = message.getEvent()?.getCommitPosition() ?? message.getCheckpoint()?.getCommitPosition()
      if (place !== undefined) position = placeOf(place)
      const record = wireRecordOf(message)
      if (record !== undefined) records.push(record)
    }
    return { records, position }
  }
}

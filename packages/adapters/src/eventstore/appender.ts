import type { StoredEvent } from '@almanac/domain'
import {
  type AppendResult,
  appendedAt,
  type Clock,
  type ExpectedRevision,
  outcomeUnknown,
  unavailable,
} from '@almanac/engine'
import { AccessRefused } from '../system/index.js'
import { tooLate, within } from '../transactions/deadline.js'
import type { AppendCall, WireAnswer, WireAppend } from './append-call.js'
import { appendFault, isNotLeader, readFault, refusedForGood } from './faults.js'
import { streamRequest } from './requests.js'
import type { Sightings } from './sightings.js'
import { positionOf, revisionOf, sizeOf, uuidTextOf, type WireRecord, wireEventOf } from './stored-event.js'
import { leaderPauseMs, mostLeaders, type Wire } from './wire.js'

interface AppenderParts {
  readonly wire: Wire
  readonly clock: Clock
  readonly deadlineMs: number
  readonly maxAppendSize: number
  readonly sightings: Sightings
}

/** Appends, each answered once and for all: as appended, as a conflict, or with a fault that says what is known. */
export class Appender {
  readonly #parts: AppenderParts

  constructor(parts: AppenderParts) {
    this.#parts = parts
  }

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly StoredEvent[],
  ): Promise<AppendResult> {
    const { sightings, wire } = this.#parts
    const append = { stream, expected, events: events.map(wireEventOf) }
    this.#checkSize(append)
    const first = append.events[0]?.id ?? ''
    sightings.sent(first)
    const answer = await this.#answer(append)
    if (answer.kind === 'appended') return appendedAt(await this.#places(append, answer.position))
    if (answer.kind === 'unknown') {
      throw outcomeUnknown(
        `The event store ${wire.name} has given up an append to ${stream}: ${answer.message}`,
      )
    }
    sightings.forget(first)
    if (answer.kind === 'conflict') return this.#orRepeated(append, answer.actual)
    const message = `The event store ${wire.name} has not appended to ${stream}: ${answer.message}`
    if (answer.kind === 'denied') throw new AccessRefused('credentials', message)
    throw answer.forGood ? refusedForGood(message) : unavailable(message)
  }

  #checkSize({ stream, events }: WireAppend): void {
    const { maxAppendSize } = this.#parts
    const size = events.reduce((sum, event) => sum + sizeOf(event), 0)
    if (size <= maxAppendSize) return
    throw refusedForGood(
      `An append to ${stream} has ${size} bytes, and the event store takes ${maxAppendSize}.`,
    )
  }

  /** The server's answer within the deadline. The same ids at the same revision: to send it again does no harm. */
  async #answer(append: WireAppend): Promise<WireAnswer> {
    const { clock, deadlineMs } = this.#parts
    const until = clock.elapsed() + deadlineMs
    for (let attempt = 1; ; attempt++) {
      const call = await this.#call(until - clock.elapsed())
      try {
        return await this.#sent(call, append, until - clock.elapsed())
      } catch (error) {
        const isAnswerable = attempt < mostLeaders && clock.elapsed() < until
        if (!isNotLeader(error) || !isAnswerable) throw appendFault(this.#parts.wire.name, error)
        await clock.sleep(leaderPauseMs * attempt)
      }
    }
  }

  /** The call to send over. Nothing was sent when there is none. */
  async #call(ms: number): Promise<AppendCall> {
    const { wire, clock } = this.#parts
    try {
      const call = await within(clock, ms, wire.appends())
      if (call !== tooLate) return call
    } catch (error) {
      throw readFault(wire.name, error)
    }
    throw unavailable(`The event store ${wire.name} was not found in time.`)
  }

  async #sent(call: AppendCall, append: WireAppend, ms: number): Promise<WireAnswer> {
    const { wire, clock, deadlineMs } = this.#parts
    // The client's own deadline does not hold for appends: without ours, a lost answer is waited for without end.
    const noAnswer = wire.listening()
    const answer = await within(clock, ms, call.send(append))
    if (answer !== tooLate) return answer
    noAnswer()
    throw outcomeUnknown(`The event store ${wire.name} did not answer an append within ${deadlineMs} ms.`)
  }

  /**
   * Where the events are. The answer to an append has one position, and servers differ in whose it is when there are
   * several events, and leave it out when they know an append again. The stream itself has all of them.
   */
  async #places({ stream, expected, events }: WireAppend, position: number | undefined) {
    const first = expected === 'none' ? 0 : expected + 1
    if (events.length === 1 && position !== undefined) return [{ revision: first, position }]
    const records = await this.#standing(stream, first, events.length)
    const places = placesOf(records)
    if (places.length === events.length) return places
    throw outcomeUnknown(`The event store does not show what it has appended to ${stream}.`)
  }

  /** As the first time, when these events stand where they would have gone. */
  async #orRepeated(
    { stream, expected, events }: WireAppend,
    actual: ExpectedRevision,
  ): Promise<AppendResult> {
    const conflict = { outcome: 'conflict', actual } as const
    const first = expected === 'none' ? 0 : expected + 1
    if (actual === 'none' || actual < first + events.length - 1) return conflict
    // The server knows a repeated append itself, but not in all versions after a restart.
    const records = await this.#standing(stream, first, events.length)
    const isSame =
      records.length === events.length &&
      records.every((record, index) => uuidTextOf(record.getId()) === events[index]?.id)
    return isSame ? appendedAt(placesOf(records)) : conflict
  }

  /** What stands in the stream from a revision on. When it can't be read, it is not known what was appended. */
  async #standing(stream: string, first: number, count: number): Promise<readonly WireRecord[]> {
    try {
      return (await this.#parts.wire.read(streamRequest(stream, first, count))).records
    } catch (fault) {
      throw outcomeUnknown(`It is not known what was appended to ${stream}: reading it failed.`, fault)
    }
  }
}

const placesOf = (records: readonly WireRecord[]) =>
  records.flatMap((record) => {
    const position = positionOf(record)
    return position === undefined ? [] : [{ revision: revisionOf(record), position }]
  })

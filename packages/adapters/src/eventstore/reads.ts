import { type Clock, createStop, type PortFault, unavailable } from '@almanac/engine'
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import { tooLate, within } from '../transactions/deadline.js'
import type { Connection, ReadCall } from './connection.js'
import { readFault } from './faults.js'
import { type WireRecord, wireRecordOf } from './stored-event.js'

export interface ReadParts {
  /** Of the server, for messages. */
  readonly name: string
  readonly clock: Clock
  /** A read that hears nothing for so long is given up. Milliseconds. */
  readonly deadlineMs: number
  readonly onHeard: () => void
  readonly onSilence: () => void
}

export interface ReadResult {
  /** Events of users; the system's own are counted, and left out. */
  readonly records: readonly WireRecord[]
  /** How many the server sent, and where the last of them is. */
  readonly count: number
  readonly lastPosition: string | undefined
}

/** A read that ends by itself. Throws `unavailable` when it does not, or can't begin. */
export async function readOnce(
  parts: ReadParts,
  connection: Connection,
  request: Streams.ReadReq,
): Promise<ReadResult> {
  const call = await opened(parts, connection.openRead(request, true))
  const done = createStop()
  const records: WireRecord[] = []
  let count = 0
  let heard = 0
  let lastPosition: string | undefined
  const ended = new Promise<void>((resolve, reject) => {
    call.on('data', (message: Streams.ReadResp) => {
      heard += 1
      parts.onHeard()
      const event = message.getEvent()
      if (event === undefined) return
      count += 1
      lastPosition = event.getCommitPosition()
      const record = wireRecordOf(message)
      if (record !== undefined) records.push(record)
    })
    call.on('end', resolve)
    call.on('error', reject)
  }).finally(() => done.stop())
  const late = silence(parts, () => heard, done)
  try {
    if ((await Promise.race([ended, late])) === tooLate) throw silent(parts)
    return { records, count, lastPosition }
  } catch (error) {
    call.cancel()
    ended.catch(() => {})
    throw readFault(parts.name, error)
  }
}

function silent({ name, deadlineMs, onSilence }: ReadParts): PortFault {
  onSilence()
  return unavailable(`The event store ${name} did not answer within ${deadlineMs} ms.`)
}

/** The call, once it is there: a cluster may have to be asked first who leads. */
export async function opened(parts: ReadParts, opening: Promise<ReadCall>): Promise<ReadCall> {
  let call: ReadCall | typeof tooLate
  try {
    call = await within(parts.clock, parts.deadlineMs, opening)
  } catch (error) {
    throw readFault(parts.name, error)
  }
  if (call !== tooLate) return call
  // Whenever it comes now, nobody waits for it.
  opening.then(
    (late) => late.on('error', () => {}).cancel(),
    () => {},
  )
  throw silent(parts)
}

/** Resolves when nothing was heard for the time of the deadline. Never when `done` comes first. */
async function silence(
  { clock, deadlineMs }: ReadParts,
  heard: () => number,
  done: ReturnType<typeof createStop>,
): Promise<typeof tooLate> {
  for (;;) {
    const before = heard()
    await clock.sleep(deadlineMs, done)
    if (done.stopped) return new Promise(() => {})
    if (heard() === before) return tooLate
  }
}

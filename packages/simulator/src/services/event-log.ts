import type { Position, RecordedEvent, StoredEvent } from '@almanac/domain'
import type { AppendResult, EventFilter, EventLog, EventPage, ExpectedRevision, Stop } from '@almanac/engine'
import type { CallOptions, Process, Serve } from '../world/index.js'
import type { EventLogService } from './event-log-service.js'

export interface SimEventLogOptions {
  /** An append or a read that is not answered within this is over. Default 5,000 ms. */
  readonly deadlineMs?: number
  /** The service answers a subscription with an empty page after this, so that a dead link shows. Default 10,000 ms. */
  readonly pollMs?: number
}

/** The event log as one process reaches it. */
export class SimEventLog implements EventLog {
  private readonly process: Process
  private readonly service: EventLogService
  private readonly deadlineMs: number
  private readonly pollMs: number
  private subscriptions = 0

  constructor(
    process: Process,
    service: EventLogService,
    { deadlineMs = 5_000, pollMs = 10_000 }: SimEventLogOptions = {},
  ) {
    this.process = process
    this.service = service
    this.deadlineMs = deadlineMs
    this.pollMs = pollMs
  }

  append(stream: string, expected: ExpectedRevision, events: readonly StoredEvent[]): Promise<AppendResult> {
    // What is sent is what was there at the call, as JSON leaves it.
    const sent = JSON.parse(JSON.stringify(events)) as StoredEvent[]
    return this.call('append', true, () => this.service.append(stream, expected, sent))
  }

  readStream(stream: string, from = 0): Promise<readonly RecordedEvent[]> {
    return this.call('readStream', false, () => this.service.readStream(this.process.name, stream, from))
  }

  readAll(after: Position, max: number, filter?: EventFilter): Promise<EventPage> {
    return this.call('readAll', false, () => this.service.readAll(this.process.name, after, max, filter))
  }

  head(): Promise<Position> {
    return this.call('head', false, () => this.service.head(this.process.name))
  }

  /** Throws `unavailable` when the connection breaks or nothing is heard: follow again from where you are then. */
  async *follow(after: Position, stop: Stop): AsyncIterable<EventPage> {
    this.subscriptions += 1
    const connection = `follow ${this.subscriptions}`
    let position = after
    let isFirst = true
    while (!stop.stopped) {
      const from = position
      const first = isFirst
      const next = this.process.call(
        {
          service: this.service.name,
          label: 'follow',
          deadlineMs: this.pollMs + this.deadlineMs,
          isWrite: false,
          connection,
        },
        () => this.service.next(this.process.name, from, this.pollMs, first),
      )
      const page = await unlessStopped(next, stop)
      if (page === undefined) return
      isFirst = false
      if (page.events.length === 0) continue
      position = page.position
      yield page
    }
  }

  private call<T>(label: string, isWrite: boolean, serve: Serve<T>): Promise<T> {
    const options: CallOptions = {
      service: this.service.name,
      label,
      deadlineMs: this.deadlineMs,
      isWrite,
      connection: isWrite ? 'write' : 'read',
    }
    return this.process.call(options, serve)
  }
}

/** Undefined when `stop` fires first; how the call ends is of no interest then. */
const unlessStopped = <T>(call: Promise<T>, stop: Stop): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    const forget = stop.onStop(() => resolve(undefined))
    call.then(
      (value) => {
        forget()
        resolve(value)
      },
      (error: unknown) => {
        forget()
        reject(error)
      },
    )
  })

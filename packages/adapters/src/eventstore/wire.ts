import { type Clock, unavailable } from '@almanac/engine'
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import type { EventStoreAddress } from './address.js'
import { AppendCall } from './append-call.js'
import { Connection } from './connection.js'
import { LeaderElsewhere } from './faults.js'
import { opened, type ReadParts, type ReadResult, readOnce } from './reads.js'
import { Subscription } from './subscription.js'

interface WireOptions {
  readonly address: EventStoreAddress
  readonly prefix: string
  readonly connectionName?: string
  readonly clock: Clock
  readonly deadlineMs: number
}

/** A leader that has just changed may send us on more than once. */
export const mostLeaders = 5
/** The client needs a moment to take in where the leader is. */
export const leaderPauseMs = 20

/** A connection, and how much has been heard over it. */
interface Link {
  readonly connection: Connection
  heard: number
  appends: Opening | undefined
}

/** A call for appends that is there, or on its way. */
interface Opening {
  readonly call: Promise<AppendCall>
  isOver(): boolean
}

/** The one connection of a process, made anew when it has gone dumb. */
export class Wire {
  readonly #options: WireOptions
  #generation = 0
  #link: Link
  #isClosed = false

  constructor(options: WireOptions) {
    this.#options = options
    this.#link = this.#connect()
  }

  get name(): string {
    return this.#options.address.name
  }

  /** The call over which appends go now. Rejects with what the client threw. */
  appends(): Promise<AppendCall> {
    this.#checkOpen()
    const link = this.#link
    if (link.appends === undefined || link.appends.isOver()) link.appends = openAppends(link)
    return link.appends.call
  }

  /** A read at the leader, wherever it is. */
  async read(request: Streams.ReadReq): Promise<ReadResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#using((connection, parts) => readOnce(parts, connection, request))
      } catch (fault) {
        if (!(fault instanceof LeaderElsewhere) || attempt === mostLeaders) throw fault
        await this.#options.clock.sleep(leaderPauseMs * attempt)
      }
    }
  }

  subscribe(request: Streams.ReadReq): Promise<Subscription> {
    return this.#using(async (connection, parts) => {
      return new Subscription(parts, await opened(parts, connection.openRead(request, false)))
    })
  }

  /** To be called when something is asked of the server; what it returns, when no answer came in time. */
  listening(): () => void {
    const link = this.#link
    const { heard } = link
    return () => {
      // Other answers came: the connection is well, and the server is slow with this one.
      if (link.heard === heard) this.#renew(link)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#link.connection.close()
  }

  async #using<T>(work: (connection: Connection, parts: ReadParts) => Promise<T>): Promise<T> {
    this.#checkOpen()
    const { clock, deadlineMs } = this.#options
    const link = this.#link
    const onHeard = () => {
      link.heard += 1
    }
    const parts = { name: this.name, clock, deadlineMs, onHeard, onSilence: this.listening() }
    return work(link.connection, parts)
  }

  #checkOpen(): void {
    if (this.#isClosed) throw unavailable('The event log is closed.')
  }

  #connect(): Link {
    const { address, connectionName, prefix } = this.#options
    this.#generation += 1
    const connection = new Connection(address, connectionName ?? prefix, this.#generation)
    return { connection, heard: 0, appends: undefined }
  }

  /** The old connection is let go of with all that waits on it. */
  #renew(link: Link): void {
    if (link !== this.#link || this.#isClosed) return
    this.#link = this.#connect()
    link.connection.close().catch(() => {})
  }
}

function openAppends(link: Link): Opening {
  let state: 'opening' | 'failed' | AppendCall = 'opening'
  const onHeard = () => {
    link.heard += 1
  }
  const call = link.connection.openAppends().then(
    (opened) => {
      state = new AppendCall(opened, onHeard)
      return state
    },
    (error: unknown) => {
      state = 'failed'
      throw error
    },
  )
  return { call, isOver: () => state === 'failed' || (state instanceof AppendCall && state.isOver) }
}

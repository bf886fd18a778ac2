import type { Position, RecordedEvent, StoredEvent } from '@almanac/domain'
import {
  type AppendResult,
  type EventFilter,
  type EventPage,
  type ExpectedRevision,
  type Random,
  storageFull,
  unavailable,
} from '@almanac/engine'
import type { SimWorld } from '../world/index.js'
import { EventLogStore } from './event-log-store.js'

/** What may be wrong with the log apart from its links; to be changed in place. */
export interface EventLogFaults {
  /** From the append to its being on the disk, drawn up to this. Until then nobody reads it. Milliseconds. */
  flushMs: number
  /** From the disk to the answer, drawn up to this: everybody may have read it before the writer knows. */
  lateAnswerMs: number
  /** Appends throw `storage_full`. */
  isFull: boolean
  /** Chance that a new subscription begins with events that its reader has had already. */
  repeating: number
}

const healthy: EventLogFaults = { flushMs: 0, lateAnswerMs: 0, isFull: false, repeating: 0 }

/** Events in one page of a subscription. */
const pageSize = 500
/** A subscription that repeats goes back at most so many events. */
const mostRepeated = 20

interface Waiting {
  readonly until: Position
  readonly go: () => void
  readonly broken: (error: unknown) => void
}

/** An event log as a service of the world: one server that acknowledges what is on its disk. */
export class EventLogService {
  readonly name: string
  readonly faults: EventLogFaults = { ...healthy }
  private readonly world: SimWorld
  private readonly random: Random
  private readonly store = new EventLogStore()
  private readonly waiting = new Set<Waiting>()
  /** By process: how much later than others it gets the pages of its subscriptions. */
  private readonly slow = new Map<string, number>()
  /** By process: it reads from a server that has not heard of what came after this position. */
  private readonly stale = new Map<string, Position>()

  constructor(world: SimWorld, name = 'log') {
    this.world = world
    this.name = name
    this.random = world.fork(`service ${name}`)
  }

  append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly StoredEvent[],
  ): AppendResult | Promise<AppendResult> {
    if (this.faults.isFull) {
      this.world.count('fault: log full')
      throw storageFull('The disk of the event log is full.')
    }
    const { result, after } = this.store.append(stream, expected, events)
    this.world.trace(`${this.name} ${stream} ${result.outcome} ${after}`)
    this.flushSoon(after)
    if (this.store.durable >= after && this.faults.lateAnswerMs === 0) return result
    return this.durable(after).then(() => this.late(result))
  }

  private flushSoon(position: Position): void {
    if (position <= this.store.durable) return
    if (this.faults.flushMs === 0) {
      this.flush(position)
      return
    }
    const { life } = this.world.network.service(this.name)
    this.world.after(this.faults.flushMs * this.random.next(), () => {
      if (this.world.network.service(this.name).life === life) this.flush(position)
    })
  }

  private flush(position: Position): void {
    this.store.flush(position)
    for (const waiting of [...this.waiting]) {
      if (waiting.until <= this.store.durable) waiting.go()
    }
  }

  private durable(position: Position): Promise<void> {
    if (position <= this.store.durable) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        until: position,
        go: () => {
          this.waiting.delete(waiting)
          resolve()
        },
        broken: reject,
      }
      this.waiting.add(waiting)
    })
  }

  private late<T>(result: T): T | Promise<T> {
    const { lateAnswerMs } = this.faults
    if (lateAnswerMs === 0) return result
    this.world.count('fault: append answered late')
    return this.delayed(lateAnswerMs * this.random.next(), () => result)
  }

  private delayed<T>(ms: number, result: () => T): Promise<T> {
    return new Promise((resolve) => this.world.after(ms, () => resolve(result())))
  }

  readStream(reader: string, stream: string, from: number): readonly RecordedEvent[] {
    return this.store.stream(stream, from, this.limit(reader))
  }

  readAll(reader: string, after: Position, max: number, filter?: EventFilter): EventPage {
    return this.store.page(after, max, this.limit(reader), filter)
  }

  head(reader: string): Position {
    return Math.min(this.store.durable, this.limit(reader))
  }

  /** Everything that is on the disk, as nobody's reader sees it: for checkers. */
  all(): readonly RecordedEvent[] {
    return this.store.page(0, Number.POSITIVE_INFINITY, this.store.durable).events
  }

  /** The next events after a position; waits for some at most `waitMs`, then the page is empty. */
  next(reader: string, after: Position, waitMs: number, isFirst: boolean): EventPage | Promise<EventPage> {
    const from = isFirst ? this.repeated(after) : after
    const page = (): EventPage => this.store.page(from, pageSize, this.store.durable)
    const slowMs = this.slow.get(reader) ?? 0
    if (this.store.durable > from && slowMs === 0) return page()
    return this.grown(from, waitMs).then(() => {
      if (slowMs === 0 || this.store.durable <= from) return page()
      this.world.count('fault: subscription slow')
      return this.delayed(slowMs * this.random.next(), page)
    })
  }

  private repeated(after: Position): Position {
    const { repeating } = this.faults
    if (after === 0 || repeating === 0 || this.random.next() >= repeating) return after
    this.world.count('fault: subscription repeats')
    return Math.max(0, after - 1 - Math.floor(this.random.next() * mostRepeated))
  }

  /** Resolves when there is something after `position`, or after `ms`. */
  private grown(position: Position, ms: number): Promise<void> {
    if (this.store.durable > position) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const go = (): void => {
        timer.action = undefined
        this.waiting.delete(waiting)
        this.world.touch()
        resolve()
      }
      const timer = this.world.schedule(ms, go)
      const waiting: Waiting = { until: position + 1, go, broken: reject }
      this.waiting.add(waiting)
    })
  }

  /** Its subscriptions come up to `ms` late; 0: as everybody's. */
  slowFor(process: string, ms: number): void {
    this.slow.set(process, ms)
  }

  /**
   * For `ms` the process reads from a server that no longer leads: nothing newer than now, less the last
   * `positions` events. It breaks what the port promises of `head`, as real clusters do for a moment.
   */
  staleFor(process: string, positions: number, ms: number): void {
    const limit = Math.max(0, this.store.durable - positions)
    this.world.count('fault: stale reads')
    this.stale.set(process, limit)
    this.world.schedule(ms, () => {
      if (this.stale.get(process) === limit) this.stale.delete(process)
    })
  }

  private limit(reader: string): Position {
    return this.stale.get(reader) ?? Number.POSITIVE_INFINITY
  }

  /**
   * It crashes, and is back after `downMs`. What is not on its disk may be lost, and was acknowledged to nobody;
   * subscriptions break.
   */
  crash(downMs: number): void {
    const state = this.world.network.service(this.name)
    state.isDown = true
    state.life += 1
    const lost = this.store.tear(this.random.next())
    this.world.count('fault: log crash')
    if (lost > 0) this.world.count('fault: torn tail')
    this.world.trace(`${this.name} crashes, ${lost} torn off`)
    for (const { broken } of this.waiting) broken(unavailable('The event log crashed.'))
    this.waiting.clear()
    this.world.touch()
    const { life } = state
    this.world.schedule(downMs, () => {
      if (state.life === life) state.isDown = false
    })
  }

  /** No fault of its own is left; links and being down are the network's to heal. */
  heal(): void {
    Object.assign(this.faults, healthy)
    this.slow.clear()
    this.stale.clear()
  }
}

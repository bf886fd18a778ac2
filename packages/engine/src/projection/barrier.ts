import type { Position } from '@almanac/domain'
import type { Clock } from '../ports/clock.js'
import type { EventLog } from '../ports/event-log.js'
import { createStop } from '../stop.js'
import type { Projector } from './projector.js'

/**
 * Makes sure that every event acknowledged before the call is applied here: one read of the log's head, shared
 * by all partitions of the node that ask in the same moment.
 */
export class Barrier {
  private readonly log: EventLog
  private readonly projector: Projector
  private readonly clock: Clock
  private readonly deadlineMs: number
  private running: Promise<boolean> | undefined
  /** For as long as it has just taken in vain, nobody waits again: ticks wait one after the other, and each would. */
  private vainUntil = Number.NEGATIVE_INFINITY
  private queued: Promise<boolean> | undefined

  constructor(log: EventLog, projector: Projector, clock: Clock, deadlineMs: number) {
    this.log = log
    this.projector = projector
    this.clock = clock
    this.deadlineMs = deadlineMs
  }

  /** True when applied; false when the log or the projection did not answer in time. */
  reach(): Promise<boolean> {
    if (this.running === undefined) {
      this.running = this.read().finally(() => {
        this.running = undefined
      })
      return this.running
    }
    // A read that is under way may have begun before an event that the caller must see: the next one is shared.
    this.queued ??= this.running.then(() => {
      this.queued = undefined
      return this.reach()
    })
    return this.queued
  }

  private async read(): Promise<boolean> {
    const { clock } = this
    const begunAt = clock.elapsed()
    if (begunAt < this.vainUntil) return false
    const head = await this.head()
    const leftMs = begunAt + this.deadlineMs - clock.elapsed()
    if (head !== undefined && (await this.projector.waitFor(head, leftMs))) return true
    const tookMs = clock.elapsed() - begunAt
    this.vainUntil = clock.elapsed() + tookMs
    return false
  }

  /** Undefined: no answer in time. A server that is silent must not take longer than one that is gone. */
  private async head(): Promise<Position | undefined> {
    const done = createStop()
    const late = this.clock.sleep(this.deadlineMs, done).then(() => undefined)
    try {
      return await Promise.race([this.log.head(), late])
    } catch {
      return undefined
    } finally {
      done.stop()
    }
  }
}

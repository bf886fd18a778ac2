import { type DisabledCause, isDown, verdictOf, type Webhook } from '@almanac/domain'
import type { Clock, Random, Stop } from '../ports/clock.js'
import type { EventLog } from '../ports/event-log.js'
import { PortFault } from '../ports/faults.js'
import type { ViewStore } from '../ports/view-store.js'
import type { RunFeed, WebhookCaller, WebhookProgressStore } from '../ports/webhook.js'
import { Signal } from '../signal.js'
import { messageOfEvent, messageOfRun, toldStreams } from './messages.js'
import type { DeliveryRecord } from './record.js'
import { Consequences, type HostGates, sendTo } from './sending.js'
import { type Pending, Window } from './window.js'

/** Limits of one webhook. Every duration is in milliseconds. */
export const webhookLimits = {
  /** Messages that were read and are not through. */
  window: 200,
  /** Events that are read at a time. */
  page: 100,
  /** Messages on their way at a time. */
  atOnce: 4,
  /** So many positions and places that nobody asked for are read again after a restart, at most. */
  unsavedPositions: 10_000,
  /** How long a wait is at most: what is to be told wakes it. */
  idleMs: 30_000,
  retryMs: 1_000,
} as const

export interface ServingParts {
  readonly log: EventLog
  readonly views: ViewStore
  readonly clock: Clock
  readonly random: Random
  readonly caller: WebhookCaller
  readonly hosts: HostGates
  readonly store: WebhookProgressStore
  /** How often it is saved how far a webhook is, at most: so much is told again after a crash. */
  readonly saveEveryMs: number
  readonly feed: RunFeed | undefined
  readonly onFault: (message: string, fault: unknown) => void
  readonly disable: (webhook: Webhook, cause: DisabledCause, message: string) => Promise<void>
}

/**
 * Tells one webhook what happens, each message at least once, those of one subject in order. What is saved is how far
 * everything is through; what is sent beyond that is sent again after a crash, under the same id.
 */
export class Deliverer {
  private readonly parts: ServingParts
  private readonly webhook: () => Webhook | undefined
  private readonly record: DeliveryRecord
  private readonly consequences: Consequences
  private readonly window = new Window()
  private readonly changed = new Signal()
  private eventsRead: number
  private runsRead: number
  private saved: { position: number; runPosition: number; at: number }

  /** `webhook`: as it is now; undefined: it is gone. */
  constructor(parts: ServingParts, webhook: () => Webhook | undefined, record: DeliveryRecord) {
    this.parts = parts
    this.webhook = webhook
    this.record = record
    const { position, runPosition } = record.saved
    this.eventsRead = position
    this.runsRead = runPosition
    this.saved = { position, runPosition, at: parts.clock.elapsed() - parts.saveEveryMs }
    this.consequences = new Consequences(parts, record, parts.disable)
  }

  /** There may be something to tell. */
  wake(): void {
    this.changed.notify()
  }

  /** Until `stop`, and saves then; what is on its way is not waited for. Faults of the ports are tried again. */
  async run(stop: Stop): Promise<void> {
    while (!stop.stopped) {
      try {
        await this.read()
        this.send()
        await this.save(false)
        await this.changed.wait(this.parts.clock, this.idleMs(), stop)
      } catch (fault) {
        await this.fault(fault, stop)
      }
    }
    await this.save(true).catch((fault: unknown) => this.fault(fault, stop))
  }

  private async fault(fault: unknown, stop: Stop): Promise<void> {
    if (!(fault instanceof PortFault)) throw fault
    this.parts.onFault(`serving the webhook ${this.webhook()?.spec.name ?? ''}`, fault)
    await this.parts.clock.sleep(webhookLimits.retryMs, stop)
  }

  /** Takes in what came, as far as there is room. */
  private async read(): Promise<void> {
    const webhook = this.webhook()
    if (webhook === undefined) return
    while (this.window.size < webhookLimits.window && (await this.readEvents(webhook)));
    while (this.window.size < webhookLimits.window && this.readRuns(webhook));
  }

  /** True: there may be more. */
  private async readEvents(webhook: Webhook): Promise<boolean> {
    const { log, views } = this.parts
    // No further than the read models: a task's labels are looked up in them.
    const known = views.position()
    if (this.eventsRead >= known) return false
    if (webhook.spec.events.length === 0) {
      this.eventsRead = known
      return false
    }
    const page = await log.readAll(this.eventsRead, webhookLimits.page, { streamPrefixes: toldStreams })
    for (const event of page.events) {
      if (event.position > known) break
      const pending = messageOfEvent(webhook, event, (taskId) => views.task(taskId))
      if (pending !== undefined) this.add(pending)
    }
    const read = Math.min(page.position, known)
    const isOn = read > this.eventsRead
    this.eventsRead = Math.max(read, this.eventsRead)
    return isOn
  }

  private readRuns(webhook: Webhook): boolean {
    const { feed, views } = this.parts
    if (feed === undefined) return false
    const { news, place } = feed.read(this.runsRead, webhookLimits.page)
    for (const one of news) {
      const pending = messageOfRun(webhook, one, (taskId) => views.task(taskId))
      if (pending !== undefined) this.add(pending)
    }
    const isOn = place > this.runsRead
    this.runsRead = Math.max(place, this.runsRead)
    return isOn
  }

  /** Tries before a restart count too. */
  private add(entry: Pending): void {
    const { clock } = this.parts
    const known = this.record.waiting(entry.message.id)
    if (known !== undefined) {
      entry.attempts = known.attempts
      entry.firstAt = known.firstAt
      entry.notBefore = clock.elapsed() + Math.max(0, (known.nextAt ?? 0) - clock.now())
    }
    this.window.add(entry)
  }

  private send(): void {
    const webhook = this.webhook()
    if (webhook?.spec.enabled !== true) return
    const { clock } = this.parts
    const atOnce = isDown(this.record.health) ? 1 : webhookLimits.atOnce
    let free = atOnce - this.window.sending
    for (; free > 0 && clock.elapsed() >= this.consequences.quietUntil; free--) {
      const next = this.window.due(clock.elapsed())
      if (next === undefined) return
      next.isSending = true
      void this.try(webhook, next).catch((fault: unknown) => this.parts.onFault('telling a webhook', fault))
    }
  }

  private async try(webhook: Webhook, entry: Pending): Promise<void> {
    const { clock, random } = this.parts
    try {
      const answer = await sendTo(this.parts, webhook, entry.message)
      const at = clock.now()
      entry.attempts += 1
      entry.firstAt ??= at
      const { attempts, firstAt, message, source, subject } = entry
      const ended = this.consequences.of(webhook, answer)
      const verdict = verdictOf({ attempts, firstAt }, answer, this.record.health, random.next())
      this.record.tried({ message, source, subject, attempts, firstAt, at, answer, verdict })
      if (verdict.kind === 'retry') entry.notBefore = clock.elapsed() + verdict.pauseMs
      else this.window.settle(entry)
      await ended
    } finally {
      entry.isSending = false
      this.changed.notify()
    }
  }

  /** How far everything is through. */
  private through(): { readonly position: number; readonly runPosition: number } {
    const event = this.window.first('events')
    const run = this.window.first('runs')
    return {
      position: event === undefined ? this.eventsRead : event - 1,
      runPosition: run === undefined ? this.runsRead : run - 1,
    }
  }

  private isWorthSaving(): boolean {
    const { position, runPosition } = this.through()
    const passed = Math.max(position - this.saved.position, runPosition - this.saved.runPosition)
    return this.record.isDirty || passed >= webhookLimits.unsavedPositions
  }

  private async save(isLast: boolean): Promise<void> {
    const { clock, store, saveEveryMs } = this.parts
    const isTime = isLast || clock.elapsed() - this.saved.at >= saveEveryMs
    const webhook = this.webhook()
    if (webhook === undefined || !isTime || !this.isWorthSaving()) return
    const { position, runPosition } = this.through()
    this.record.isDirty = false
    try {
      await store.save(webhook.webhookId, this.record.progress(position, runPosition))
    } catch (fault) {
      this.record.isDirty = true
      throw fault
    }
    this.saved = { position, runPosition, at: clock.elapsed() }
  }

  private idleMs(): number {
    const now = this.parts.clock.elapsed()
    const { quietUntil } = this.consequences
    // Who is switched off is told nothing: the next change of the webhook wakes it.
    const webhook = this.webhook()
    const isOff = webhook?.spec.enabled !== true
    const isBusy = isOff || this.window.sending > 0
    const due = isBusy ? Number.POSITIVE_INFINITY : Math.max(this.window.nextDueAt(), quietUntil)
    // What is left of one that is gone is saved no more: waiting for that would be no wait at all.
    const isToSave = webhook !== undefined && this.record.isDirty
    const save = isToSave ? this.saved.at + this.parts.saveEveryMs : Number.POSITIVE_INFINITY
    return Math.max(0, Math.min(webhookLimits.idleMs, due - now, save - now))
  }
}

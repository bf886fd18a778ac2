import { type DeliveryAnswer, type Webhook, wantsRuns } from '@almanac/domain'
import { systemContext } from '../commands/parts.js'
import type { WebhookCommands } from '../commands/webhook-commands.js'
import type { RunIntake } from '../intake/types.js'
import type { Clock, Random, Stop } from '../ports/clock.js'
import type { EventLog } from '../ports/event-log.js'
import { PortFault } from '../ports/faults.js'
import type { ViewStore } from '../ports/view-store.js'
import type { WebhookAdapters, WebhookProgress, WebhookProgressStore } from '../ports/webhook.js'
import { Signal } from '../signal.js'
import { createStop, eitherStop } from '../stop.js'
import type { LiveWebhooks } from './book.js'
import { Deliverer, type ServingParts } from './deliverer.js'
import { DeliveryRecord, noProgress } from './record.js'
import { HostGates, sendTo } from './sending.js'
import { RunPoster } from './worker.js'

/** Which webhooks are served here, and how what is done is shared with others. */
export interface Sharing {
  readonly progress: WebhookProgressStore
  readonly saveEveryMs: number
  /** Whether this node is to serve it just now. */
  readonly isOurs: (webhookId: string) => boolean
  /** How often that is asked again at the least. Milliseconds. */
  readonly askEveryMs: number
}

interface ServiceParts {
  readonly adapters: Pick<WebhookAdapters, 'caller' | 'runFeed'>
  readonly sharing: Sharing
  readonly book: LiveWebhooks
  readonly commands: WebhookCommands
  readonly intake: RunIntake | null
  readonly log: EventLog
  readonly views: ViewStore
  readonly clock: Clock
  readonly random: Random
  readonly onFault: (message: string, fault: unknown) => void
}

interface Served {
  readonly deliverer: Deliverer
  /** Null: there are no runs here that a receiver could do. */
  readonly poster: RunPoster | null
  readonly end: () => void
  readonly ended: Promise<void>
}

const retryMs = 1_000
/** What became of runs is kept for those who are told of it later, at most so long. */
const newsMs = 3 * 86_400_000
const forgetEveryMs = 60_000

/** Serves all webhooks of this process: each has a deliverer, and one that takes runs a poster beside it. */
export class WebhookService {
  private readonly parts: ServiceParts
  private readonly serving: ServingParts
  private readonly changed = new Signal()
  private readonly served = new Map<string, Served>()
  /** Served by others, and known here. */
  private readonly shown = new Set<string>()
  private readonly running = new Set<Promise<void>>()

  constructor(parts: ServiceParts) {
    this.parts = parts
    const { adapters, sharing, log, views, clock, random, onFault } = parts
    this.serving = {
      log,
      views,
      clock,
      random,
      onFault,
      caller: adapters.caller,
      hosts: new HostGates(),
      store: sharing.progress,
      saveEveryMs: sharing.saveEveryMs,
      feed: adapters.runFeed,
      disable: async (webhook, cause, message) => {
        const context = systemContext(webhook.namespace, clock.now(), `webhook ${webhook.webhookId}`, message)
        await parts.commands.disable(context, webhook.webhookId, cause, message)
      },
    }
    parts.book.onChange(() => this.changed.notify())
    adapters.runFeed?.onNews(() => this.wake())
  }

  /** Events have been applied, or runs have changed. */
  wake(): void {
    for (const { deliverer } of this.served.values()) deliverer.wake()
  }

  async run(stop: Stop): Promise<void> {
    let forgottenAt = this.parts.clock.elapsed()
    while (!stop.stopped) {
      try {
        await this.settle(stop)
      } catch (fault) {
        if (!(fault instanceof PortFault)) throw fault
        this.parts.onFault('looking how far webhooks have been served', fault)
        await this.parts.clock.sleep(retryMs, stop)
        continue
      }
      this.wake()
      if (this.parts.clock.elapsed() - forgottenAt >= forgetEveryMs) {
        forgottenAt = this.parts.clock.elapsed()
        await this.forget()
      }
      await this.changed.wait(this.parts.clock, this.parts.sharing.askEveryMs, stop)
    }
    await Promise.all(this.running)
  }

  /** Begins to serve what is new, and ends with what is gone. */
  private async settle(stop: Stop): Promise<void> {
    const { book, adapters, sharing } = this.parts
    const all = book.all()
    // Also for one that is switched off: it is told when it is taken up again.
    adapters.runFeed?.want(all.some(({ spec }) => wantsRuns(spec)))
    for (const [webhookId, { end, ended, poster }] of this.served) {
      poster?.wake()
      const isGone = book.get(webhookId) === undefined
      if (!isGone && sharing.isOurs(webhookId)) continue
      end()
      this.served.delete(webhookId)
      // Not waited for: it may be about to hear of a run, or of a slow receiver.
      if (isGone) void ended.then(() => this.forgotten(webhookId))
    }
    for (const webhook of all) {
      const { webhookId } = webhook
      if (this.served.has(webhookId) || stop.stopped) continue
      if (sharing.isOurs(webhookId)) await this.begin(webhook, stop)
      else if (!this.shown.has(webhookId)) {
        // What comes from now on is told by the log.
        await sharing.progress.load(webhookId)
        this.shown.add(webhookId)
      }
    }
  }

  private async forgotten(webhookId: string): Promise<void> {
    const { sharing, onFault } = this.parts
    await sharing.progress
      .remove(webhookId)
      .catch((fault: unknown) => onFault('forgetting a webhook that is gone', fault))
  }

  private async begin({ webhookId, createdPosition }: Webhook, stop: Stop): Promise<void> {
    const { sharing, book, intake } = this.parts
    const progress = (await sharing.progress.load(webhookId)) ?? noProgress(createdPosition)
    const current = () => book.get(webhookId)
    const deliverer = new Deliverer(this.serving, current, new DeliveryRecord(progress))
    const poster = intake === null ? null : new RunPoster(this.serving, intake, current)
    const ending = createStop()
    const { stop: until, forget } = eitherStop(ending, stop)
    // What should not happen ends both; they begin anew with the next look at what is to be served.
    const guarded = (work: Promise<void>) =>
      work.catch((fault: unknown) => {
        this.parts.onFault('serving a webhook', fault)
        ending.stop()
      })
    const work = [deliverer.run(until), ...(poster === null ? [] : [poster.run(until)])].map(guarded)
    const ended = Promise.all(work).then(() => {
      forget()
      this.running.delete(ended)
      if (this.served.get(webhookId)?.deliverer === deliverer) this.served.delete(webhookId)
    })
    this.running.add(ended)
    this.served.set(webhookId, { deliverer, poster, end: () => ending.stop(), ended })
  }

  private async forget(): Promise<void> {
    const { adapters, sharing, book, clock, onFault } = this.parts
    const places = book
      .all()
      .filter(({ spec }) => wantsRuns(spec))
      .map(({ webhookId }) => sharing.progress.peek(webhookId)?.runPosition ?? 0)
    const through = places.length === 0 ? Number.MAX_SAFE_INTEGER : Math.min(...places)
    await adapters.runFeed
      ?.forget(through, clock.now() - newsMs)
      .catch((fault: unknown) => onFault('forgetting what became of runs', fault))
  }

  /** In the order in which they were made. */
  list(namespace: string): readonly Webhook[] {
    return this.parts.book.all().filter((webhook) => webhook.namespace === namespace)
  }

  get(namespace: string, webhookId: string): Webhook | undefined {
    const webhook = this.parts.book.get(webhookId)
    return webhook?.namespace === namespace ? webhook : undefined
  }

  progress(webhookId: string): WebhookProgress | undefined {
    return this.parts.sharing.progress.peek(webhookId)
  }

  /** Its present secret; null: it was made with another key, and a new one has to be made. */
  secretOf({ webhookId, generation, keyId }: Webhook): string | null {
    const { caller } = this.parts.adapters
    return caller.keyId === keyId ? caller.secretOf(webhookId, generation) : null
  }

  /** Sends a message of the type `webhook.ping` now, whatever it is told otherwise. Counts for nothing. */
  ping(webhook: Webhook): Promise<DeliveryAnswer> {
    const { clock, random } = this.parts
    const { webhookId, namespace, spec } = webhook
    return sendTo(this.serving, webhook, {
      id: `msg_${random.token(16)}`,
      type: 'webhook.ping',
      at: clock.now(),
      content: { kind: 'ping', webhookId, name: spec.name, namespace },
    })
  }
}

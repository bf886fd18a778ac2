import { eventHash, type RecordedEvent, webhookStream } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { appendSettled, nodeEvent } from '../node-events.js'
import type { Clock } from '../ports/clock.js'
import type { AppendResult, EventLog, ExpectedRevision } from '../ports/event-log.js'
import { unavailable } from '../ports/faults.js'
import type { WebhookProgress, WebhookProgressStore } from '../ports/webhook.js'

interface LoggedProgressParts {
  readonly log: EventLog
  readonly clock: Clock
  readonly nodeId: string
}

/** The last event of a webhook's stream, as far as it is known here. */
interface Tip {
  readonly revision: ExpectedRevision
  readonly hash: string
  readonly at: Instant
}

/** Of the event, which is read whole at each takeover; those that wait come first, so that their tries count on. */
const loggedDeliveries = 20
const maxAttempts = 8
const type = 'WebhookProgressed'

/**
 * How far webhooks have been served, in the event log, where every node finds it: the last event of each webhook's
 * stream tells all. Nodes that serve the same one for a moment do no harm: the one that is further has its say.
 */
export class LoggedWebhookProgress implements WebhookProgressStore {
  private readonly parts: LoggedProgressParts
  private readonly tips = new Map<string, Tip>()
  private readonly known = new Map<string, WebhookProgress>()

  constructor(parts: LoggedProgressParts) {
    this.parts = parts
  }

  /** The first event of a stream finds out how long it is, so that none is read whole. */
  async load(webhookId: string): Promise<WebhookProgress | undefined> {
    this.tips.delete(webhookId)
    const result = await this.append(webhookId, nothing, null)
    if (result.outcome === 'conflict') await this.catchUp(webhookId, result.actual)
    return this.known.get(webhookId)
  }

  async save(webhookId: string, progress: WebhookProgress): Promise<void> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const result = await this.append(webhookId, this.tips.get(webhookId) ?? nothing, progress)
      if (result.outcome === 'appended') return
      await this.catchUp(webhookId, result.actual)
      // Another node has served it, and is further.
      if ((this.known.get(webhookId)?.position ?? -1) > progress.position) return
    }
    throw unavailable(`${webhookStream(webhookId)} changes too fast: it was tried ${maxAttempts} times`)
  }

  /** The stream stays, as what happened. */
  async remove(webhookId: string): Promise<void> {
    this.tips.delete(webhookId)
    this.known.delete(webhookId)
  }

  peek(webhookId: string): WebhookProgress | undefined {
    return this.known.get(webhookId)
  }

  /** Takes events of all streams, as they are applied: what other nodes have done is known here too. */
  apply(event: RecordedEvent): void {
    if (event.type !== type) return
    const { webhookId, progress } = event.data as Progressed
    if (progress === null || progress.position < (this.known.get(webhookId)?.position ?? 0)) return
    this.known.set(webhookId, progress)
  }

  private async append(webhookId: string, tip: Tip, progress: WebhookProgress | null): Promise<AppendResult> {
    const { log, clock, nodeId } = this.parts
    const stream = webhookStream(webhookId)
    const at = Math.max(clock.now(), tip.at)
    const data: Progressed = { webhookId, progress: progress === null ? null : logged(progress) }
    const place = { stream, expected: tip.revision, previousHash: tip.hash, nodeId, at }
    const event = nodeEvent(place, type, data)
    const result = await appendSettled(log, stream, tip.revision, event)
    if (result.outcome === 'appended') {
      this.tips.set(webhookId, { revision: result.revision, hash: eventHash(event), at })
      if (progress !== null) this.known.set(webhookId, progress)
    }
    return result
  }

  private async catchUp(webhookId: string, actual: ExpectedRevision): Promise<void> {
    const from = actual === 'none' ? 0 : actual
    const last = (await this.parts.log.readStream(webhookStream(webhookId), from)).at(-1)
    if (last === undefined) return
    this.tips.set(webhookId, { revision: last.revision, hash: last.hash, at: last.metadata.at })
    const { progress } = last.data as Progressed
    if (progress !== null) this.known.set(webhookId, progress)
  }
}

interface Progressed {
  readonly webhookId: string
  /** Null: nothing has been told yet. */
  readonly progress: WebhookProgress | null
}

const nothing: Tip = { revision: 'none', hash: '', at: 0 }

function logged(progress: WebhookProgress): WebhookProgress {
  const waits = ({ status }: WebhookProgress['deliveries'][number]) => status === 'waiting'
  const { deliveries } = progress
  const kept = [...deliveries.filter(waits), ...deliveries.filter((one) => !waits(one))].slice(
    0,
    loggedDeliveries,
  )
  return { ...progress, deliveries: kept.sort((a, b) => b.lastAt - a.lastAt) }
}

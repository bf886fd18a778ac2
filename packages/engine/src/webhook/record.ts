import { type DeliveryAnswer, type DeliveryVerdict, healthAfter, healthy } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import {
  type Delivery,
  type DeliverySource,
  keptDeliveries,
  type WebhookMessage,
  type WebhookProgress,
} from '../ports/webhook.js'

export const noProgress = (position: number): WebhookProgress => ({
  position,
  runPosition: 0,
  health: healthy,
  delivered: 0,
  failed: 0,
  givenUp: 0,
  deliveries: [],
})

/** One try, as it is written down. */
export interface Try {
  readonly message: WebhookMessage
  readonly source: DeliverySource
  readonly subject: string
  readonly attempts: number
  readonly firstAt: Instant
  readonly at: Instant
  readonly answer: DeliveryAnswer
  readonly verdict: DeliveryVerdict
}

/** What came of a webhook's messages; how far it is through is told when it is saved. */
export class DeliveryRecord {
  private kept: WebhookProgress
  /** Whether there is something that has not been saved. */
  isDirty = false

  constructor(progress: WebhookProgress) {
    this.kept = progress
  }

  /** How far it was when it was saved last. */
  get saved(): Pick<WebhookProgress, 'position' | 'runPosition'> {
    return this.kept
  }

  get health() {
    return this.kept.health
  }

  /** What is known of a message that was tried before a restart, and is not through. */
  waiting(id: string): Delivery | undefined {
    return this.kept.deliveries.find((delivery) => delivery.id === id && delivery.status === 'waiting')
  }

  /** Counts the answer for the health of the whole, before it is decided what comes next. */
  answered(answer: DeliveryAnswer, at: Instant): void {
    this.kept = { ...this.kept, health: healthAfter(this.kept.health, answer, at) }
    this.isDirty = true
  }

  tried(one: Try): void {
    const { verdict } = one
    const delivery = deliveryOf(one)
    const others = this.kept.deliveries.filter(({ id }) => id !== delivery.id)
    this.kept = {
      ...this.kept,
      delivered: this.kept.delivered + (verdict.kind === 'delivered' ? 1 : 0),
      failed: this.kept.failed + (verdict.kind === 'delivered' ? 0 : 1),
      givenUp: this.kept.givenUp + (verdict.kind === 'given_up' ? 1 : 0),
      deliveries: [delivery, ...others].filter(
        ({ status }, index) => index < keptDeliveries || status === 'waiting',
      ),
    }
    this.isDirty = true
  }

  progress(position: number, runPosition: number): WebhookProgress {
    return { ...this.kept, position, runPosition }
  }
}

function deliveryOf({ message, source, subject, attempts, firstAt, at, answer, verdict }: Try): Delivery {
  return {
    id: message.id,
    type: message.type,
    subject,
    source,
    status: verdict.kind === 'retry' ? 'waiting' : verdict.kind,
    attempts,
    firstAt,
    lastAt: at,
    lastStatus: answer.status,
    lastError: answer.error,
    lastMs: answer.ms,
    nextAt: verdict.kind === 'retry' ? at + verdict.pauseMs : null,
  }
}

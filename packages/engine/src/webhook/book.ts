import { evolveWebhooks, type Webhook, type WebhookBook, webhooksStream } from '@almanac/domain'
import { LiveStream, type LiveStreamParts } from '../projection/live-stream.js'

/** All webhooks: they are few. */
export class LiveWebhooks extends LiveStream<WebhookBook> {
  constructor(parts: LiveStreamParts) {
    super(parts, { stream: webhooksStream, what: 'the webhooks', evolve: evolveWebhooks })
  }

  get(webhookId: string): Webhook | undefined {
    return this.state()?.webhooks.get(webhookId)
  }

  /** In the order in which they were made. */
  all(): readonly Webhook[] {
    return [...(this.state()?.webhooks.values() ?? [])]
  }
}

import {
  type CommandContext,
  type DisabledCause,
  decideWebhooks,
  type Webhook,
  type WebhookCommand,
  type WebhookLimits,
  webhooksStream,
} from '@almanac/domain'
import type { Outcome } from '../outcome.js'
import { tokenOf } from './answers.js'
import { handleInTurn } from './handle.js'
import type { CommandParts } from './parts.js'

/** How long messages are signed with the secret before as well, after a new one was made. */
const overlapMs = 24 * 3_600_000

/** Commands on webhooks, which are all in one stream. */
export class WebhookCommands {
  private readonly parts: CommandParts
  private readonly limits: WebhookLimits
  /** Tells which key secrets are made with. */
  private readonly keyId: string

  constructor(parts: CommandParts, limits: WebhookLimits, keyId: string) {
    this.parts = parts
    this.limits = limits
    this.keyId = keyId
  }

  create(context: CommandContext, input: unknown): Outcome<Webhook> {
    const { namespace } = context
    const webhookId = `wh_${this.parts.random.token(10)}`
    return this.run(
      context,
      () => ({ type: 'create', namespace, webhookId, keyId: this.keyId, input }),
      webhookId,
    )
  }

  change(context: CommandContext, webhookId: string, input: unknown, expected?: number): Outcome<Webhook> {
    const { namespace } = context
    return this.run(context, () => ({ type: 'change', namespace, webhookId, input, expected }), webhookId)
  }

  rotate(context: CommandContext, webhookId: string): Outcome<Webhook> {
    const { namespace } = context
    const { keyId } = this
    return this.run(
      context,
      (at) => ({ type: 'rotate', namespace, webhookId, keyId, previousUntil: at + overlapMs }),
      webhookId,
    )
  }

  disable(
    context: CommandContext,
    webhookId: string,
    cause: DisabledCause,
    message: string,
  ): Outcome<Webhook> {
    const { namespace } = context
    return this.run(context, () => ({ type: 'disable', namespace, webhookId, cause, message }), webhookId)
  }

  delete(context: CommandContext, webhookId: string): Outcome<Webhook> {
    const { namespace } = context
    return this.run(context, () => ({ type: 'delete', namespace, webhookId }), webhookId)
  }

  private async run(
    context: CommandContext,
    commandAt: (at: number) => WebhookCommand,
    webhookId: string,
  ): Outcome<Webhook> {
    let before: Webhook | undefined
    const handled = await handleInTurn(this.parts, this.parts.webhooks, {
      stream: webhooksStream,
      context,
      token: tokenOf(context, this.parts.random),
      decide: ({ state }, at) => {
        before = state?.webhooks.get(webhookId)
        return decideWebhooks(state, commandAt(at), this.limits)
      },
    })
    if (!handled.ok) return handled
    const { state, position, events, repeated } = handled.value
    const created = events.find(({ type }) => type === 'WebhookCreated')
    const { webhookId: made } = (created?.data ?? { webhookId }) as { readonly webhookId: string }
    // A deleted one is answered as it was.
    const webhook = state?.webhooks.get(made) ?? before
    if (webhook === undefined) throw new Error('an accepted command leaves a webhook')
    return { ok: true, value: { state: webhook, position, created: created !== undefined, repeated } }
  }
}

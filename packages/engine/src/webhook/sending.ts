import type { DeliveryAnswer, DeliveryHealth, DisabledCause, Webhook } from '@almanac/domain'
import { deliveryRules, downPauseMs, isGivenUp, isGone } from '@almanac/domain'
import { Gate } from '../gate.js'
import type { Clock, Random } from '../ports/clock.js'
import type { WebhookCaller, WebhookMessage } from '../ports/webhook.js'
import type { DeliveryRecord } from './record.js'

/** Messages that are on their way to one host at a time, whatever webhooks they are of. */
const perHost = 8

/** Lets a host have so many messages at a time: one that is slow keeps no other waiting. */
export class HostGates {
  private readonly gates = new Map<string, { readonly gate: Gate; users: number }>()

  async run<T>(host: string, work: () => Promise<T>): Promise<T> {
    const entry = this.gates.get(host) ?? { gate: new Gate(perHost), users: 0 }
    this.gates.set(host, entry)
    entry.users += 1
    try {
      return await entry.gate.run(work)
    } finally {
      entry.users -= 1
      if (entry.users === 0) this.gates.delete(host)
    }
  }
}

interface SenderParts {
  readonly caller: WebhookCaller
  readonly hosts: HostGates
  readonly clock: Clock
  readonly random: Random
}

/** Sends one message of a webhook, with the secrets that hold now. */
export async function sendTo(
  parts: SenderParts,
  webhook: Webhook,
  message: WebhookMessage,
): Promise<DeliveryAnswer> {
  const { caller, hosts } = parts
  return hosts.run(caller.hostOf(webhook.spec.url), () => post(parts, webhook, message))
}

/** As `sendTo`, if that is still wanted once the host has room for it. Undefined: it is not. */
export async function sendIf(
  parts: SenderParts,
  webhook: Webhook,
  message: WebhookMessage,
  isWanted: () => Promise<boolean>,
): Promise<DeliveryAnswer | undefined> {
  const { caller, hosts } = parts
  return hosts.run(caller.hostOf(webhook.spec.url), async () =>
    (await isWanted()) ? post(parts, webhook, message) : undefined,
  )
}

function post(
  { caller, clock }: SenderParts,
  webhook: Webhook,
  message: WebhookMessage,
): Promise<DeliveryAnswer> {
  const { webhookId, generation, previousUntil, spec } = webhook
  const isBoth = previousUntil !== null && clock.now() < previousUntil
  const generations = isBoth ? [generation, generation - 1] : [generation]
  return caller.post({ url: spec.url, webhookId, generations, message })
}

/** Who was taken up again has all his time again. */
const sinceItIsOn = (health: DeliveryHealth, { changedAt }: Webhook): DeliveryHealth =>
  health.failingSince === null
    ? health
    : { ...health, failingSince: Math.max(health.failingSince, changedAt) }

type Disable = (webhook: Webhook, cause: DisabledCause, message: string) => Promise<void>

/** What follows for a webhook from each answer: pauses while its receiver is down, and its end. */
export class Consequences {
  /** Nothing is sent before, on elapsed time. */
  quietUntil = 0
  private readonly parts: Pick<SenderParts, 'clock' | 'random'>
  private readonly record: DeliveryRecord
  private readonly disable: Disable

  constructor(parts: Pick<SenderParts, 'clock' | 'random'>, record: DeliveryRecord, disable: Disable) {
    this.parts = parts
    this.record = record
    this.disable = disable
  }

  async of(webhook: Webhook, answer: DeliveryAnswer): Promise<void> {
    const { clock, random } = this.parts
    const now = clock.now()
    this.record.answered(answer, now)
    const { health } = this.record
    this.quietUntil = clock.elapsed() + downPauseMs(health, random.next())
    if (isGone(answer)) {
      await this.disable(webhook, 'gone', 'The receiver answered 410: it is there no more.')
    } else if (isGivenUp(sinceItIsOn(health, webhook), now)) {
      const days = deliveryRules.disableAfterMs / 86_400_000
      const last = answer.error ?? `answered ${answer.status}`
      await this.disable(
        webhook,
        'failing',
        `Nothing has got through for ${days} days; the last try: ${last}.`,
      )
    }
  }
}

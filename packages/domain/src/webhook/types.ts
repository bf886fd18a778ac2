import type { Instant } from '@almanac/recurrence'
import type { Position, Revision } from '../event.js'

/** What a webhook is told, and where. */
export interface WebhookSpec {
  /** 1 to 100 characters, unique among the webhooks of its namespace. */
  readonly name: string
  /** Absolute, `https` (`http` where the configuration says so). */
  readonly url: string
  readonly description: string
  readonly enabled: boolean
  /** Types of messages (`task.changed`), or all of a subject (`task.*`). */
  readonly events: readonly string[]
  /** Only what these tasks are about; empty: no matter which. */
  readonly tasks: readonly string[]
  /** Only what tasks with all of these labels are about; empty: no matter which. */
  readonly labels: { readonly [key: string]: string }
  /** It is a worker too: it takes the runs of this queue. */
  readonly runs: RunTarget | null
}

export interface RunTarget {
  readonly queue: string
  /** How long a run is the receiver's that answered 202, unless it sends heartbeats. 30 to 86 400. */
  readonly leaseSeconds: number
}

/** Why a webhook was switched off by Almanac itself. `gone`: its receiver answered 410. */
export type DisabledCause = 'failing' | 'gone'

export interface Webhook {
  readonly webhookId: string
  readonly namespace: string
  readonly spec: WebhookSpec
  /** Tells which key its secrets are made with. */
  readonly keyId: string
  /** Counts its secrets: 1 is the first. */
  readonly generation: number
  /** Until then messages are signed with the secret before, too. Null: there is none. */
  readonly previousUntil: Instant | null
  readonly disabled: { readonly cause: DisabledCause; readonly message: string; readonly at: Instant } | null
  readonly createdAt: Instant
  readonly createdBy: string
  /** Of its first event: what happened later is told. */
  readonly createdPosition: Position
  readonly changedAt: Instant
  /** Of its last event, within the stream that all webhooks share. */
  readonly changedRevision: Revision
}

/** Events of the stream `webhooks`, which all webhooks share: there are few, and each node has them all in memory. */
export type WebhookEvent =
  | {
      readonly type: 'WebhookCreated'
      readonly data: { readonly webhookId: string; readonly keyId: string; readonly spec: WebhookSpec }
    }
  | {
      readonly type: 'WebhookChanged'
      readonly data: { readonly webhookId: string; readonly changes: Partial<WebhookSpec> }
    }
  | {
      readonly type: 'WebhookDisabled'
      readonly data: { readonly webhookId: string; readonly cause: DisabledCause; readonly message: string }
    }
  | {
      readonly type: 'WebhookSecretRotated'
      readonly data: {
        readonly webhookId: string
        readonly keyId: string
        readonly generation: number
        readonly previousUntil: Instant | null
      }
    }
  | { readonly type: 'WebhookDeleted'; readonly data: { readonly webhookId: string } }

/** All webhooks that there are. */
export interface WebhookBook {
  readonly webhooks: ReadonlyMap<string, Webhook>
  readonly revision: Revision
  readonly hash: string
}

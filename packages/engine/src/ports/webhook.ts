import type {
  DeliveryAnswer,
  DeliveryHealth,
  Position,
  RecordedEvent,
  Revision,
  RunRecord,
  RunStatus,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { LeasedRun } from './run-store.js'

/** What a webhook is told. */
export interface WebhookMessage {
  /** The same whenever the message is sent again: receivers know by it what they have had. */
  readonly id: string
  readonly type: string
  /** When it happened. */
  readonly at: Instant
  readonly content: WebhookContent
}

export type WebhookContent =
  | { readonly kind: 'event'; readonly event: RecordedEvent }
  | { readonly kind: 'run'; readonly run: RunRecord }
  /** A run that the receiver is to do. */
  | { readonly kind: 'command'; readonly leased: LeasedRun }
  | { readonly kind: 'ping'; readonly webhookId: string; readonly name: string; readonly namespace: string }

export interface WebhookCall {
  readonly url: string
  readonly webhookId: string
  /** With which of its secrets it is signed, the newest first. */
  readonly generations: readonly number[]
  readonly message: WebhookMessage
}

/** The way out to receivers. */
export interface WebhookCaller {
  /** Tells the key that secrets are made with from every other. */
  readonly keyId: string
  /** The secret of a webhook, the same each time: it is made anew, and kept nowhere. */
  secretOf(webhookId: string, generation: number): string
  /** What is wrong with an address, as far as that can be said without asking anybody; undefined: nothing. */
  problemOf(url: string): string | undefined
  /** What receivers have in common that one machine answers for. */
  hostOf(url: string): string
  /**
   * Posts the message, signed, to an address that has been checked at the moment of the connection. Redirects are not
   * followed. Answers within its own time limit, and never throws.
   */
  post(call: WebhookCall): Promise<DeliveryAnswer>
}

export type DeliverySource =
  | { readonly kind: 'event'; readonly stream: string; readonly revision: Revision }
  | { readonly kind: 'run'; readonly runId: string; readonly status: RunStatus; readonly attempt: number }
  /** A run that the receiver was to do: it is handed out again by its own rules. */
  | { readonly kind: 'command'; readonly runId: string }

/** One message, and how far it has got. */
export interface Delivery {
  /** Of the message. */
  readonly id: string
  readonly type: string
  /** What it is about: a task, a run, a schedule. */
  readonly subject: string
  /** Where what it tells can be read again. */
  readonly source: DeliverySource
  readonly status: 'waiting' | 'delivered' | 'given_up'
  readonly attempts: number
  readonly firstAt: Instant
  readonly lastAt: Instant
  readonly lastStatus: number | null
  readonly lastError: string | null
  readonly lastMs: number
  /** Null: it is not tried again by itself. */
  readonly nextAt: Instant | null
}

/** How far a webhook has been served. */
export interface WebhookProgress {
  /** Every event up to here is through: told, given up, or not asked for. */
  readonly position: Position
  /** The same for what became of runs, as a place in `RunFeed`. */
  readonly runPosition: number
  readonly health: DeliveryHealth
  readonly delivered: number
  readonly failed: number
  readonly givenUp: number
  /** The newest `keptDeliveries`, and those that wait, by when they were last tried, the newest first. */
  readonly deliveries: readonly Delivery[]
}

export const keptDeliveries = 50

/** Where every node that may come to serve a webhook finds how far it has been served. */
export interface WebhookProgressStore {
  /** With everything that was saved before the call, by whatever node. Undefined: nothing was. Throws `PortFault`. */
  load(webhookId: string): Promise<WebhookProgress | undefined>
  /** Durable when it resolves. Throws `PortFault`. */
  save(webhookId: string, progress: WebhookProgress): Promise<void>
  /** Forgets it: the webhook is gone. Throws `PortFault`. */
  remove(webhookId: string): Promise<void>
  /** As this node has it: it may be behind. */
  peek(webhookId: string): WebhookProgress | undefined
}

/** A run's change of status. */
export interface RunNews {
  /** Grows with every one. */
  readonly place: number
  readonly at: Instant
  /** As it was after the change. */
  readonly run: RunRecord
}

/** What becomes of runs, in the order in which it was stored. Only kept while somebody wants it. */
export interface RunFeed {
  /** From now on changes are kept, or not any more. */
  want(isWanted: boolean): void
  /** At most `max` after the place. `place`: everything up to it has been looked at. */
  read(after: number, max: number): { readonly news: readonly RunNews[]; readonly place: number }
  /** Calls back after changes. */
  onNews(listener: () => void): void
  /** Forgets what all have had, and what became of runs that ended before. */
  forget(upTo: number, before: Instant): Promise<void>
}

/** What a node takes to serve webhooks. */
export interface WebhookAdapters {
  readonly caller: WebhookCaller
  /** Where it is kept how far each is. Absent: in the event log, for all nodes of a cluster. */
  readonly progress?: WebhookProgressStore
  /** Absent: runs are in the topics of a cluster, and webhooks have nothing to do with them. */
  readonly runFeed?: RunFeed
}

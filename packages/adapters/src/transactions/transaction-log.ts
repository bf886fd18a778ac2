import type { Stop } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'

/** A record to be appended. */
export interface LogRecord {
  readonly topic: string
  /** Null: the log picks it, by `spread` if there is one, else by the key. */
  readonly partition: number | null
  /** Counted round the partitions that the topic has. */
  readonly spread?: number
  readonly key: string
  readonly value: string
  readonly headers?: { readonly [name: string]: string }
}

/** A committed record, as readers of committed records see it. */
export interface CommittedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: string
  readonly headers: { readonly [name: string]: string }
  /** By the log's own clock. */
  readonly appendedAt: Instant
}

/**
 * A log of topics with transactions, as Kafka has it: what the dispatch log needs of a broker and nothing more.
 * Faults are `PortFault`s: `unavailable` when surely nothing was done, else `outcome_unknown`.
 */
export interface TransactionLog {
  /**
   * Takes over a transactional id. When it resolves, every earlier holder is fenced, an open transaction of theirs
   * is aborted, and one whose commit had begun is complete and visible to readers that reach a later record.
   */
  takeOver(transactionalId: string): Promise<Transactor>
  /**
   * All committed records of a topic, partition by partition in order, from the offset that `from` has for the
   * partition, else from the earliest that is kept: first what there is, then what comes. A batch may hold records of
   * several partitions. Never shows a record before all earlier ones of its partition that will be visible. Ends when
   * `stop` fires; throws when the log can't be read: begin again then.
   */
  follow(
    topic: string,
    stop: Stop,
    from?: ReadonlyMap<number, number>,
  ): AsyncIterable<readonly CommittedRecord[]>
}

export type SendOutcome =
  | {
      readonly outcome: 'sent'
      /** The log's clock when the last of them was appended. */
      readonly appendedAt: Instant
    }
  | { readonly outcome: 'fenced' }
  /**
   * By all that is known these topics can't be had, now or later: there is no such name, no right to them, or one that
   * is there is not as it has to be. Nothing of this call was appended, and the transaction is as it was.
   */
  | { readonly outcome: 'refused'; readonly topics: readonly string[]; readonly message: string }

/**
 * One holder of a transactional id, with one transaction after the other. After any fault, and after `fenced`, it
 * is good for nothing: close it and take over anew.
 */
export interface Transactor {
  /** Appends in the open transaction; opens one when none is. Invisible until committed. */
  send(records: readonly LogRecord[]): Promise<SendOutcome>
  /** Throws `outcome_unknown` when it may or may not be committed. */
  commit(): Promise<'committed' | 'fenced'>
  /** Everything sent since the last commit is gone. */
  abort(): Promise<void>
  close(): Promise<void>
}

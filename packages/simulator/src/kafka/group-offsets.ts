import type { Instant } from '@almanac/recurrence'
import type { Producer, TopicPartition } from './protocol.js'

interface CommittedOffset {
  readonly offset: number
  readonly committedAt: Instant
}

/** What OffsetFetch answers for a group that has none. */
export const noOffset = -1

const nameOf = (group: string, { topic, partition }: TopicPartition): string =>
  `${group}/${topic}/${partition}`
const pendingOf = (group: string, { producerId }: Producer): string => `${group}/${producerId}`

/**
 * Offsets that consumer groups commit within transactions. Offsets of an open transaction are invisible, without an
 * error; those of a group with no members expire, without an error.
 */
export class GroupOffsets {
  private readonly committed = new Map<string, CommittedOffset>()
  private readonly pending = new Map<string, Map<string, number>>()

  stage(group: string, producer: Producer, place: TopicPartition, offset: number): void {
    const key = pendingOf(group, producer)
    const staged = this.pending.get(key) ?? new Map<string, number>()
    staged.set(nameOf(group, place), offset)
    this.pending.set(key, staged)
  }

  /** Ends a transaction: its offsets can be fetched once the returned function has run. */
  end(group: string, producer: Producer, commit: boolean, now: Instant): () => void {
    const key = pendingOf(group, producer)
    const staged = this.pending.get(key) ?? []
    this.pending.delete(key)
    return () => {
      if (!commit) return
      for (const [name, offset] of staged) this.committed.set(name, { offset, committedAt: now })
    }
  }

  fetch(group: string, place: TopicPartition): number {
    return this.committed.get(nameOf(group, place))?.offset ?? noOffset
  }

  expire(now: Instant, retentionMs: number): void {
    for (const [name, { committedAt }] of this.committed) {
      if (committedAt + retentionMs < now) this.committed.delete(name)
    }
  }
}

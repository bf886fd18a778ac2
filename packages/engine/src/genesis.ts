import type {
  Checkpoint,
  PartitionId,
  PartitionProgress,
  PartitionRecovered,
  RecordedEvent,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { nodeEvent } from './node-events.js'
import type { EventLog } from './ports/event-log.js'

/** What the event log knows of a partition. */
export interface PartitionHistory {
  /** When it began: occurrences count from there. */
  readonly startedAt: Instant
  /** The newest checkpoint that its owners mirrored; null: none was. */
  readonly mirrored: Checkpoint | null
  /** The highest term that was mirrored, with or without a checkpoint; 0: none. New terms belong above it. */
  readonly term: number
}

/**
 * The history of a partition. Genesis is an event, so a missing checkpoint is never taken for a new partition; it is
 * appended once, by whoever claims the partition first. Reads the whole stream: ask when the dispatch log knows
 * nothing.
 */
export async function partitionHistoryOf(
  log: EventLog,
  partition: PartitionId,
  nodeId: string,
  now: Instant,
): Promise<PartitionHistory> {
  const stream = partitionStream(partition)
  const known = await log.readStream(stream)
  if (known.length > 0) return historyIn(known, now)
  const place = { stream, expected: 'none', previousHash: '', nodeId, at: now } as const
  const appended = await log.append(stream, 'none', [nodeEvent(place, 'PartitionInitialized', { at: now })])
  if (appended.outcome === 'appended') return { startedAt: now, mirrored: null, term: 0 }
  return historyIn(await log.readStream(stream), now)
}

function historyIn(events: readonly RecordedEvent[], now: Instant): PartitionHistory {
  let mirrored: Checkpoint | null = null
  let term = 0
  for (const event of events) {
    const progress = progressIn(event)
    if (progress === undefined) continue
    const { checkpoint } = progress
    term = Math.max(term, progress.term)
    if (checkpoint !== null && (mirrored === null || isLater(checkpoint, mirrored))) mirrored = checkpoint
  }
  return { startedAt: events[0]?.metadata.at ?? now, mirrored, term }
}

const isLater = (a: Checkpoint, b: Checkpoint): boolean =>
  a.term > b.term || (a.term === b.term && a.seq > b.seq)

export const partitionStream = (partition: PartitionId): string => `partition-${partition}`

/** What an event tells of an owner's progress; undefined: nothing. */
export const progressIn = ({
  type,
  data,
}: RecordedEvent): PartitionProgress | PartitionRecovered | undefined =>
  type === 'PartitionProgress' || type === 'PartitionRecovered'
    ? (data as PartitionProgress | PartitionRecovered)
    : undefined

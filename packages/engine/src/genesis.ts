import type { PartitionId, StoredEvent } from '@almanac/domain'
import { digestOf } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { EventLog } from './ports/event-log.js'

/**
 * When the partition began: occurrences count from there. Genesis is an event, so a missing checkpoint is never
 * taken for a new partition. Appended once, by whoever claims the partition first.
 */
export async function genesisOf(
  log: EventLog,
  partition: PartitionId,
  nodeId: string,
  now: Instant,
): Promise<Instant> {
  const stream = `partition-${partition}`
  const known = await log.readStream(stream)
  const first = known[0]
  if (first !== undefined) return first.metadata.at
  const appended = await log.append(stream, 'none', [initialized(stream, nodeId, now)])
  if (appended.outcome === 'appended') return now
  return (await log.readStream(stream))[0]?.metadata.at ?? now
}

const initialized = (stream: string, nodeId: string, at: Instant): StoredEvent => ({
  id: digestOf(`${stream}|initialized`).slice(0, 32),
  type: 'PartitionInitialized',
  version: 1,
  data: { at },
  metadata: { namespace: '', actor: nodeId, at, correlationId: stream, previousHash: '' },
})

import { digestOf, type RecordedEvent } from '@almanac/domain'
import { type Clock, type EventLog, eventIdOf } from '@almanac/engine'
import { StartProblem } from './start-problem.js'

const stream = 'founding'

interface Founding {
  readonly cluster: string
  readonly partitions: number
}

/**
 * Writes down at the first start what must never change in an event log, and refuses another value later: the
 * cluster's name is part of every run id, and checkpoints are kept by partition, so with another number of them
 * occurrences would be lost. Answers what tells this log from every other one.
 */
export async function holdToFounding(
  log: EventLog,
  clock: Clock,
  founding: Founding,
  node: string,
): Promise<string> {
  const first = (await firstOf(log)) ?? (await found(log, clock, founding, node))
  const { cluster, partitions } = first.data as Founding
  if (cluster !== founding.cluster) {
    throw new StartProblem(
      `This event log belongs to the cluster ${cluster}: set ALMANAC_CLUSTER=${cluster}.`,
    )
  }
  if (partitions !== founding.partitions) {
    throw new StartProblem(
      `This event log was made with ${partitions} partitions: set ALMANAC_PARTITIONS=${partitions}.`,
    )
  }
  const { position, metadata } = first
  return digestOf(`${position}|${metadata.at}|${metadata.actor}`).slice(0, 32)
}

const firstOf = async (log: EventLog): Promise<RecordedEvent | undefined> => (await log.readStream(stream))[0]

/** Of nodes that start together the first one founds; the event of the others comes too late, and is no fault. */
async function found(log: EventLog, clock: Clock, data: Founding, node: string): Promise<RecordedEvent> {
  const at = clock.now()
  const metadata = { namespace: '', actor: node, at, correlationId: stream, previousHash: '' }
  const event = { type: 'ClusterFounded', version: 1, data, metadata }
  const id = eventIdOf({ stream, expected: 'none', index: 0, token: node }, event)
  await log.append(stream, 'none', [{ id, ...event }])
  const first = await firstOf(log)
  if (first === undefined) throw new StartProblem('The event log does not show what has just been appended.')
  return first
}

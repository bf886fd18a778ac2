import { digestOf } from '@almanac/domain'
import type { Clock, EventLog } from '@almanac/engine'
import { StartProblem } from './start-problem.js'

const stream = 'founding'

interface Founding {
  readonly cluster: string
  readonly partitions: number
}

/**
 * Writes down at the first start what must never change in a data folder, and refuses another value later: the
 * cluster's name is part of every run id, and checkpoints are kept by partition, so with another number of them
 * occurrences would be lost.
 */
export async function holdToFounding(
  log: EventLog,
  clock: Clock,
  founding: Founding,
  node: string,
): Promise<void> {
  const [first] = await log.readStream(stream)
  if (first === undefined) {
    const at = clock.now()
    const metadata = { namespace: '', actor: node, at, correlationId: stream, previousHash: '' }
    const id = digestOf(stream).slice(0, 32)
    await log.append(stream, 'none', [{ id, type: 'ClusterFounded', version: 1, data: founding, metadata }])
    return
  }
  const { cluster, partitions } = first.data as Founding
  if (cluster !== founding.cluster) {
    throw new StartProblem(
      `The data folder belongs to the cluster ${cluster}: set ALMANAC_CLUSTER=${cluster}.`,
    )
  }
  if (partitions !== founding.partitions) {
    throw new StartProblem(
      `The data folder was made with ${partitions} partitions: set ALMANAC_PARTITIONS=${partitions}.`,
    )
  }
}

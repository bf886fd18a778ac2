import type { PartitionId, RunCommand } from '@almanac/domain'

/** Names of everything that one cluster has in the log. */
export interface DispatchTopics {
  /** Compacted; its partition p belongs to the scheduler's partition p alone, or one would wait for the other. */
  readonly checkpoints: string
  /** Partitioned like `checkpoints`. */
  readonly skips: string
  /** What workers report of their runs. */
  readonly runEvents: string
  /** Compacted: how often each task has run. */
  readonly totals: string
  /** Where the run goes: the topic of its exchange, else of its queue. */
  runs(run: Pick<RunCommand, 'queue' | 'exchange'>): string
  /** True for the topics that runs go to, whatever their queue or exchange. */
  isRuns(topic: string): boolean
  transactionalId(partition: PartitionId): string
  /** A transactional id that no partition has, to find out whether the log answers. */
  probeId(nodeId: string): string
}

export function dispatchTopics(prefix: string): DispatchTopics {
  const queue = `${prefix}.queue.`
  const exchange = `${prefix}.exchange.`
  return {
    checkpoints: `${prefix}.checkpoints`,
    skips: `${prefix}.skips`,
    runEvents: `${prefix}.run-events`,
    totals: `${prefix}.totals`,
    runs: (run) => (run.exchange === null ? queue + inTopic(run.queue) : exchange + inTopic(run.exchange)),
    isRuns: (topic) => topic.startsWith(queue) || topic.startsWith(exchange),
    transactionalId: (partition) => `${prefix}.partition-${partition}`,
    probeId: (nodeId) => `${prefix}.probe-${nodeId}`,
  }
}

/**
 * A topic's name has no `:` and no `/`, which queues may have. Two names never become one: `..` is in no name of a
 * queue or an exchange.
 */
const inTopic = (name: string): string => name.replaceAll(':', '..c').replaceAll('/', '..s')

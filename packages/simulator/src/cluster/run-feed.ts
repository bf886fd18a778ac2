import { type CommittedRecord, readRun, type TransactionLog } from '@almanac/adapters/transactions'
import { type Clock, type MemoryRunStore, PortFault, type RunReport, type Stop } from '@almanac/engine'

/** Where workers tell what became of their runs. */
export const runEventsTopic = (prefix: string): string => `${prefix}.run-events`

interface RunFeedParts {
  readonly log: TransactionLog
  readonly clock: Clock
  readonly runs: MemoryRunStore
  /** Topics that runs go to. */
  readonly runTopics: readonly string[]
  readonly eventsTopic: string
}

/** Keeps a node's runs up to date with what all nodes have committed and what workers have reported. */
export function feedRuns(parts: RunFeedParts, stop: Stop): void {
  const { log, clock, runs, runTopics, eventsTopic } = parts
  for (const topic of runTopics) {
    void followAgain(log, clock, topic, stop, (records) => {
      for (const record of records) {
        const run = readRun(record)
        const { partition, seq, emittedAt } = run
        runs.record({ partition, seq, decidedAt: emittedAt, runs: [run], skips: [], resets: [] })
      }
    })
  }
  void followAgain(log, clock, eventsTopic, stop, (records) => {
    for (const { value } of records) runs.report(JSON.parse(value) as RunReport)
  })
}

/** From the beginning, and after each fault from the beginning again. */
export async function followAgain(
  log: TransactionLog,
  clock: Clock,
  topic: string,
  stop: Stop,
  take: (records: readonly CommittedRecord[]) => void,
): Promise<void> {
  while (!stop.stopped) {
    try {
      for await (const records of log.follow(topic, stop)) take(records)
    } catch (fault) {
      if (!(fault instanceof PortFault)) throw fault
    }
    await clock.sleep(retryMs, stop)
  }
}

const retryMs = 1_000

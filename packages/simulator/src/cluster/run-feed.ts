import { type CommittedRecord, readRun, type TransactionLog } from '@almanac/adapters/transactions'
import type { RunCommand } from '@almanac/domain'
import { type Clock, type MemoryRunStore, PortFault, type RunReport, type Stop } from '@almanac/engine'

/** Where workers tell what became of their runs. */
export const runEventsTopic = (prefix: string): string => `${prefix}.run-events`

/** Reads runs for all readers of one world: each run once, since every node and worker reads every one. */
export class RunReader {
  private readonly known = new Map<string, RunCommand>()

  read(record: CommittedRecord): RunCommand {
    const place = `${record.topic}/${record.partition}/${record.offset}`
    let run = this.known.get(place)
    if (run === undefined) {
      run = readRun(record)
      this.known.set(place, run)
    }
    return run
  }
}

interface RunFeedParts {
  readonly log: TransactionLog
  readonly clock: Clock
  readonly runs: MemoryRunStore
  readonly reader: RunReader
  /** Topics that runs go to. */
  readonly runTopics: readonly string[]
  readonly eventsTopic: string
}

/** Keeps a node's runs up to date with what all nodes have committed and what workers have reported. */
export function feedRuns(parts: RunFeedParts, stop: Stop): void {
  const { log, clock, runs, reader, runTopics, eventsTopic } = parts
  for (const topic of runTopics) {
    void followAgain(log, clock, topic, stop, (records) => {
      for (const record of records) {
        const run = reader.read(record)
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
      for await (const records of log.follow(topic, stop)) {
        take(records)
        // What comes meanwhile comes together: readers of runs are many, and would fetch each by itself.
        await clock.sleep(gatherMs, stop)
      }
    } catch (fault) {
      if (!(fault instanceof PortFault)) throw fault
    }
    await clock.sleep(retryMs, stop)
  }
}

const retryMs = 1_000
const gatherMs = 1_000

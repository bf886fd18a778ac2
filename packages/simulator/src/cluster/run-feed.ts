import { type ReadRun, RunLedger, type RunLedgerParts, readSeenRun } from '@almanac/adapters/ledger'
import type { CommittedRecord, TransactionLog } from '@almanac/adapters/transactions'
import { type Clock, PortFault, type Stop } from '@almanac/engine'

/** Reads runs for all readers of one world: each run once, since every node and worker reads every one. */
export class RunReader {
  private readonly known = new Map<string, ReturnType<ReadRun>>()

  read(record: CommittedRecord): ReturnType<ReadRun> {
    const place = `${record.topic}/${record.partition}/${record.offset}`
    let seen = this.known.get(place)
    if (seen === undefined) {
      seen = readSeenRun(record)
      this.known.set(place, seen)
    }
    return seen
  }
}

interface RunFeedParts extends Omit<RunLedgerParts, 'runTopics' | 'readRun'> {
  readonly reader: RunReader
  /** Topics that runs go to. */
  readonly runTopics: readonly string[]
}

/** Keeps a node's runs up to date with what all nodes have committed and what workers have reported. */
export const feedRuns = ({ reader, runTopics, options, ...parts }: RunFeedParts, stop: Stop): Promise<void> =>
  new RunLedger({
    ...parts,
    runTopics: async () => runTopics,
    readRun: (record) => reader.read(record),
    options: { discoverEveryMs: 60_000, backoffMs: retryMs, gatherMs, maxRecords: 10_000, ...options },
  }).run(stop)

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
        await clock.sleep(gatherMs, stop)
      }
    } catch (fault) {
      if (!(fault instanceof PortFault)) throw fault
    }
    await clock.sleep(retryMs, stop)
  }
}

const retryMs = 1_000
/** What comes meanwhile comes together: readers of runs are many, and would fetch each by itself. */
const gatherMs = 1_000

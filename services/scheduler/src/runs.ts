import { BusyRuns, type LedgerSink, observeLedger, RunLedger, TotalsWriter } from '@almanac/adapters/ledger'
import { openLedger } from '@almanac/adapters/sqlite'
import type { Clock, Random, RunReads, Stop, Telemetry } from '@almanac/engine'
import { type OpenKafka, prefixOf } from './kafka.js'
import type { ProcessConfig } from './service/index.js'

interface RunsParts {
  readonly config: ProcessConfig
  readonly kafka: OpenKafka
  readonly clock: Clock
  readonly random: Random
  readonly isOwner: (partition: number) => boolean
  readonly telemetry: Telemetry
  readonly notice: (message: string) => void
  readonly onFault: (message: string, fault: unknown) => void
}

/** What this node knows of runs, and how it learns of them. */
export interface OpenRuns {
  readonly reads: RunReads
  /** Reads the topics until `stop`, and writes run totals. */
  run(stop: Stop): Promise<unknown>
  close(): void
}

/** A node that serves the API keeps the history of runs; one that only schedules, what is running now. */
export function openRuns(parts: RunsParts): OpenRuns {
  const { config, kafka, clock, random, isOwner, telemetry, notice, onFault } = parts
  const prefix = prefixOf(config)
  const feed = (sink: LedgerSink, beginAt?: (topic: string) => Promise<ReadonlyMap<number, number>>) =>
    new RunLedger({
      log: kafka.log,
      clock,
      random,
      sink,
      runTopics: () => kafka.runTopics(),
      ...(beginAt === undefined ? {} : { beginAt }),
      onFault,
      options: { prefix },
    })
  if (config.role === 'scheduler') {
    const busy = new BusyRuns()
    const ledger = feed(busy, (topic) => kafka.offsetsAt(topic, clock.now() - busy.unfinishedMs))
    return { reads: busy, run: (stop) => ledger.run(stop), close: observeLedger(telemetry, ledger) }
  }
  const kept = openLedger({ folder: config.data, source: prefix, clock, notice })
  const ledger = feed(kept)
  const forget = observeLedger(telemetry, ledger)
  const totals = new TotalsWriter({
    source: kept,
    writer: kafka.writer,
    clock,
    isOwner,
    onFault,
    options: { prefix, partitions: config.partitions },
  })
  return {
    reads: kept,
    run: (stop) => Promise.all([ledger.run(stop), totals.run(stop)]),
    close: () => {
      forget()
      kept.close()
    },
  }
}

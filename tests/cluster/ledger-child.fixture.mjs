/**
 * A node's run ledger in a process of its own: `FOLDER BOOTSTRAP PREFIX`. Reads the topics and writes totals until it
 * is killed, or until its input ends. Tells on standard output, a line of JSON each, what it has.
 */
import { writeSync } from 'node:fs'
import { KafkaRecordWriter, KafkaTopics, KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { RunLedger, TotalsWriter } from '@almanac/adapters/ledger'
import { openLedger } from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import { createStop } from '@almanac/engine'

const [, , folder, bootstrap, prefix] = process.argv
const clock = systemClock()
const connection = parseKafka(bootstrap)
const tell = (value) => writeSync(1, `${JSON.stringify(value)}\n`)
const topics = new KafkaTopics({
  connection,
  clock,
  options: { prefix, partitions: 4, replication: 1, retentionMs: 3_600_000 },
})
const onFault = (message, fault) => tell({ fault: `${message}: ${fault}` })

const sink = openLedger({ folder, source: prefix, clock, notice: (notice) => tell({ notice }) })
const writer = new KafkaRecordWriter({ connection, clock })
const ledger = new RunLedger({
  log: new KafkaTransactionLog({ connection, clock }),
  clock,
  random: systemRandom(),
  sink,
  runTopics: () => topics.runTopics(),
  onFault,
  // Small batches and a wait after each, so that a kill finds it in the middle.
  options: { prefix, discoverEveryMs: 500, idleMs: 400, maxRecords: 40, gatherMs: 10 },
})
const totals = new TotalsWriter({
  source: sink,
  writer,
  clock,
  isOwner: () => true,
  onFault,
  options: { prefix, partitions: 4, everyMs: 400 },
})

const stop = createStop()
process.stdin.on('end', () => stop.stop()).resume()
const running = Promise.all([ledger.run(stop), totals.run(stop)])
while (!stop.stopped) {
  tell({ ...ledger.status(), runs: Object.fromEntries(sink.counts()) })
  await clock.sleep(100, stop)
}
await running
sink.close()
await writer.close()
process.exit(0)

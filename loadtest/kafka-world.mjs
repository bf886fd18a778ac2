// A real broker as a child process, a node on it in this process, and the raw producer to hold it against.

import { join } from 'node:path'
import { KafkaTopics, KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { openViewStore } from '@almanac/adapters/sqlite'
import { systemClock, systemDigest, systemRandom } from '@almanac/adapters/system'
import { TransactionalDispatchLog } from '@almanac/adapters/transactions'
import { clusterNodeOptions, createStop, memoryEventLog, memoryRunStore, Node } from '@almanac/engine'
import { startKafka } from '@almanac/infra'
import { runMessageHeaders, runMessageJson } from '@almanac/protocol'
import { rawRate } from './raw-producer.mjs'
import { remove } from './world.mjs'

const prefix = 'load'
const partitions = 64

const onFault = (message, fault) => console.error(message, fault)
const onFatal = (error) => {
  throw error
}

export async function kafkaWorld(folder) {
  const broker = await startKafka({ folder: join(folder, 'kafka') })
  const clock = systemClock()
  const connection = parseKafka(broker.bootstrap)
  const topics = new KafkaTopics({ connection, clock, options: { prefix, partitions, replication: 1 } })
  await topics.provision(['default', 'raw'])
  const stop = createStop()
  let started
  let lastCommitAt = 0

  return {
    lastCommitAt: () => lastCommitAt,

    /** `seed`: puts what is to be there at the start into the event log. */
    async startNode({ seed, onCommitted }) {
      const log = memoryEventLog()
      await seed(log)
      started = nodeOn({ folder, log, connection, clock, stop }, (tick) => {
        lastCommitAt = Date.now()
        onCommitted(tick.runs)
      })
      await started.node.start()
    },

    /**
     * Messages a second of the plain producer of kafkajs. `isTogether`: a send has one partition, as a tick has; else
     * each message goes where its key says.
     */
    rawRate: (runs, { batch, flights, isTogether }) =>
      rawRate(broker.bootstrap, `${prefix}.queue.raw`, messagesOf(runs, batch, isTogether), {
        batch,
        flights,
      }),

    async close() {
      await started?.node.stop()
      stop.stop()
      await started?.reading
      await broker.stop()
      remove(folder)
    },
  }
}

/** A node whose dispatch log is on the broker; of everything else it has what lies nearest. */
function nodeOn({ folder, log, connection, clock, stop }, onCommitted) {
  const random = systemRandom()
  const transactions = new TransactionalDispatchLog({
    log: new KafkaTransactionLog({ connection, clock }),
    clock,
    random,
    nodeId: 'load',
    options: { prefix },
    onFault,
  })
  const dispatchLog = watched(transactions, onCommitted)
  const views = openViewStore({
    path: join(folder, 'views.db'),
    log: { id: 'load', position: 0 },
    notice: console.error,
  })
  const options = {
    ...clusterNodeOptions,
    mirrorEveryMs: null,
    fenceEveryMs: null,
    nodeId: 'load',
    partitions,
  }
  const node = new Node(
    { log, dispatchLog, views, runs: memoryRunStore(random), clock, random, digest: systemDigest },
    { ...options, tzVersion: process.versions.tz },
    { onProgress: () => {}, onFault, onFatal },
  )
  return { node, reading: transactions.run(stop) }
}

/** What was committed, as the messages that it came to. */
const messagesOf = (runs, batch, isTogether) =>
  runs.map((run, index) => ({
    key: run.taskId,
    value: JSON.stringify(runMessageJson(run, 1)),
    headers: runMessageHeaders(run),
    ...(isTogether ? { partition: Math.floor(index / batch) % partitions } : {}),
  }))

/** Tells of each committed tick. */
const watched = (log, onCommitted) => ({
  seen: (partition) => log.seen(partition),
  owner: (partition) => log.owner(partition),
  probe: () => log.probe(),
  claim: async (...args) => {
    const claim = await log.claim(...args)
    const commit = async (tick) => {
      const outcome = await claim.commit(tick)
      if (outcome === 'committed') onCommitted(tick)
      return outcome
    }
    return Object.create(claim, { commit: { value: commit } })
  },
})

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

export async function kafkaWorld(folder) {
  const broker = await startKafka({ folder: join(folder, 'kafka') })
  const clock = systemClock()
  const random = systemRandom()
  const connection = parseKafka(broker.bootstrap)
  const topics = new KafkaTopics({ connection, clock, options: { prefix, partitions, replication: 1 } })
  await topics.provision(['default', 'raw'])
  const stop = createStop()
  const onFault = (message, fault) => console.error(message, fault)
  const onFatal = (error) => {
    throw error
  }
  let node
  let reading
  let lastCommitAt = 0

  return {
    broker,
    connection,
    lastCommitAt: () => lastCommitAt,

    /** `seed`: puts what is to be there at the start into the event log. */
    async startNode({ seed = async () => {}, onCommitted = () => {}, options = {} } = {}) {
      const transactions = new TransactionalDispatchLog({
        log: new KafkaTransactionLog({ connection, clock }),
        clock,
        random,
        nodeId: 'load',
        options: { prefix },
        onFault,
      })
      reading = transactions.run(stop)
      const dispatchLog = watched(transactions, (tick) => {
        lastCommitAt = Date.now()
        onCommitted(tick.runs)
      })
      const views = openViewStore({
        path: join(folder, 'views.db'),
        log: { id: 'load', position: 0 },
        notice: console.error,
      })
      const log = memoryEventLog()
      await seed(log)
      const runs = memoryRunStore(random)
      node = new Node(
        { log, dispatchLog, views, runs, clock, random, digest: systemDigest },
        {
          ...clusterNodeOptions,
          mirrorEveryMs: null,
          fenceEveryMs: null,
          nodeId: 'load',
          partitions,
          tzVersion: process.versions.tz,
          ...options,
        },
        { onProgress: () => {}, onFault, onFatal },
      )
      await node.start()
      return { node }
    },

    /** What was committed, as the messages that it came to. */
    messagesOf: (runs) =>
      runs.map((run) => ({
        key: run.taskId,
        value: JSON.stringify(runMessageJson(run, 1)),
        headers: runMessageHeaders(run),
      })),

    /** Messages a second of the plain producer of kafkajs: `flights` sends of `batch` messages under way at once. */
    rawRate: (messages, { batch, flights, topic }) =>
      rawRate(broker.bootstrap, `${prefix}.queue.${topic}`, messages, { batch, flights }),

    async close() {
      await node?.stop()
      stop.stop()
      await reading
      await broker.stop()
      remove(folder)
    },
  }
}

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

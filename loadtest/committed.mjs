// What is committed in a cluster's topics, read as workers do, by a way of its own.

import { KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import {
  dispatchTopics,
  isCheckpoint,
  isOwner,
  readCheckpoint,
  readOwner,
} from '@almanac/adapters/transactions'
import { createStop } from '@almanac/engine'
import { sleep } from './scenario.mjs'

const markKey = 'load:mark'

/** Calls back for each record, in order within a partition of a topic. Topics that nobody asks for are not read. */
export class Committed {
  #log
  #checkpoints
  #queue
  #followed
  #stop = createStop()
  #marks = new Set()
  #reading
  #given

  /** `given`: onCheckpoint(checkpoint, record), onOwner(owner, record), onRun(record). */
  constructor(bootstrap, prefix, given) {
    this.#log = new KafkaTransactionLog({ connection: parseKafka(bootstrap), clock: systemClock() })
    const topics = dispatchTopics(prefix)
    this.#checkpoints = topics.checkpoints
    this.#queue = topics.runs({ queue: 'default', exchange: null })
    const { onCheckpoint, onOwner, onRun } = given
    const isDispatchRead = onCheckpoint !== undefined || onOwner !== undefined
    this.#followed = [
      ...(isDispatchRead ? [this.#checkpoints] : []),
      ...(onRun === undefined ? [] : [this.#queue]),
    ]
    this.#given = given
  }

  start() {
    const takers = {
      [this.#checkpoints]: (record) => this.#dispatched(record),
      [this.#queue]: this.#given.onRun,
    }
    this.#reading = Promise.all(this.#followed.map((topic) => this.#read(topic, takers[topic])))
  }

  /** When nobody writes any more: puts a mark behind the last record of each partition, and reads up to it. */
  async finish(partitions, patienceMs = 120_000) {
    const places = this.#followed.flatMap((topic) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    )
    const transactor = await this.#log.takeOver('load-marks')
    await transactor.send(places.map((place) => ({ ...place, key: markKey, value: '{}' })))
    if ((await transactor.commit()) !== 'committed') throw new Error('the marks were not committed')
    await transactor.close()
    const until = Date.now() + patienceMs
    while (this.#marks.size < places.length) {
      if (Date.now() > until) throw new Error('The topics could not be read to their ends')
      await sleep(20)
    }
    await this.stop()
  }

  async stop() {
    this.#stop.stop()
    await this.#reading
  }

  /** Begins again where it was when the broker could not be reached. */
  async #read(topic, take) {
    const next = new Map()
    while (!this.#stop.stopped) {
      try {
        for await (const batch of this.#log.follow(topic, this.#stop, next)) {
          for (const record of batch) {
            const { partition, offset, key } = record
            if (offset < (next.get(partition) ?? 0)) continue
            next.set(partition, offset + 1)
            if (key === markKey) this.#marks.add(`${topic}/${partition}`)
            else take(record)
          }
        }
      } catch (fault) {
        if (!this.#stop.stopped) console.error(`reading ${topic}:`, fault)
        await sleep(200)
      }
    }
  }

  #dispatched(record) {
    const { onCheckpoint = () => {}, onOwner = () => {} } = this.#given
    if (isCheckpoint(record)) onCheckpoint(readCheckpoint(record), record)
    else if (isOwner(record)) onOwner(readOwner(record), record)
  }
}

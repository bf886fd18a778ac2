import type { TransactionLogFixture } from '@almanac/adapters/transactions/contract'
import type { Batch, Isolation, Producer, TopicConfig, TopicPartition } from '@almanac/simulator'
import { ModelSubject } from './model-subject.js'
import type { BrokerRequests, ConformanceSubject, NodeInTransaction } from './subject.js'

/** A way in which a model of Kafka can be wrong, and a scenario that has to show it. */
export interface Planted {
  readonly what: string
  readonly shownBy: string
  subject(): ConformanceSubject
}

/** The model with some requests answered by somebody else. */
class ChangedModel implements ConformanceSubject {
  readonly prefix: string
  readonly broker: BrokerRequests
  readonly clients: TransactionLogFixture
  private readonly model: ModelSubject

  constructor(change: (broker: BrokerRequests, model: ModelSubject) => Partial<BrokerRequests>) {
    const model = new ModelSubject()
    this.model = model
    this.prefix = model.prefix
    this.clients = model.clients
    const own = change(model.broker, model)
    this.broker = new Proxy(model.broker, {
      get: (target, name) => Reflect.get(own, name) ?? Reflect.get(target, name).bind(target),
    })
  }

  createTopic(name: string, config: TopicConfig): Promise<void> {
    return this.model.createTopic(name, config)
  }

  transactAlone(transactionalId: string, topic: string, value: string): NodeInTransaction {
    return this.model.transactAlone(transactionalId, topic, value)
  }

  joinGroup(): Promise<void> {
    return this.model.joinGroup()
  }

  kill(): Promise<void> {
    return this.model.kill()
  }

  restart(): Promise<void> {
    return this.model.restart()
  }

  compact(): Promise<void> {
    return this.model.compact()
  }

  elapsed(): number {
    return this.model.elapsed()
  }

  report(): void {}

  close(): Promise<void> {
    return this.model.close()
  }
}

/** Takes every holder of an id for the newest one. */
function forgetsToFence(broker: BrokerRequests): Partial<BrokerRequests> {
  const newest = new Map<string, Producer>()
  const of = (id: string, producer: Producer) => newest.get(id) ?? producer
  return {
    initProducerId: async (id, timeoutMs) => {
      const answer = await broker.initProducerId(id, timeoutMs)
      if (answer.ok) newest.set(id, answer.value)
      return answer
    },
    addPartitionsToTxn: (id, producer, places) => broker.addPartitionsToTxn(id, of(id, producer), places),
    produce: (batch) => broker.produce({ ...batch, ...of(batch.transactionalId, batch) }),
    endTxn: (id, producer, commit) => broker.endTxn(id, of(id, producer), commit),
  }
}

const showsWhatIsOpen = (broker: BrokerRequests): Partial<BrokerRequests> => ({
  fetch: (place: TopicPartition, offset: number, _: Isolation) =>
    broker.fetch(place, offset, 'read_uncommitted'),
})

/** Has written its markers before it answers anything else, so that the latest offset would do as a barrier. */
function waitsForMarkers(broker: BrokerRequests, model: ModelSubject): Partial<BrokerRequests> {
  let ending: Promise<unknown> = Promise.resolve()
  return {
    endTxn: (id, producer, commit) => {
      const ended = broker.endTxn(id, producer, commit).then(async (answer) => {
        await model.clients.pass(1000)
        return answer
      })
      ending = ended
      return ended
    },
    watermarks: async (place) => {
      await ending
      return await broker.watermarks(place)
    },
  }
}

/** Appends a batch that it has already as if it were new. */
function forgetsSequences(broker: BrokerRequests): Partial<BrokerRequests> {
  const next = new Map<string, number>()
  return {
    produce: async (batch: Batch) => {
      const name = `${batch.producerId}/${batch.epoch}/${batch.topic}/${batch.partition}`
      const sequence = next.get(name) ?? 0
      const answer = await broker.produce({ ...batch, sequence })
      if (answer.ok) next.set(name, sequence + batch.records.length)
      return answer
    },
  }
}

/** Tells when a batch was appended only where nobody needs it. */
const keepsItsTime = (broker: BrokerRequests): Partial<BrokerRequests> => ({
  produce: async (batch) => {
    const answer = await broker.produce(batch)
    return answer.ok ? { ok: true, value: { ...answer.value, logAppendTime: -1 } } : answer
  },
})

/** Knows which transaction an end is for, as the newer protocol does. */
function refusesLateEnds(broker: BrokerRequests): Partial<BrokerRequests> {
  const ended = new Set<string>()
  const name = (id: string, { producerId, epoch }: Producer) => `${id}/${producerId}/${epoch}`
  return {
    endTxn: async (id, producer, commit) => {
      if (ended.has(name(id, producer))) return { ok: false, error: 'INVALID_TXN_STATE' }
      ended.add(name(id, producer))
      return await broker.endTxn(id, producer, commit)
    },
  }
}

/** Shows a pending offset of a group at once. */
function showsPendingOffsets(broker: BrokerRequests): Partial<BrokerRequests> {
  const staged = new Map<string, number>()
  return {
    txnOffsetCommit: (id, producer, group, place, offset) => {
      staged.set(group, offset)
      return broker.txnOffsetCommit(id, producer, group, place, offset)
    },
    offsetFetch: async (group, place) => {
      const offset = staged.get(group)
      return offset === undefined ? await broker.offsetFetch(group, place) : { ok: true, value: offset }
    },
  }
}

const changed = (change: ConstructorParameters<typeof ChangedModel>[0]) => () => new ChangedModel(change)

export const planted: readonly Planted[] = [
  {
    what: 'forgets to fence',
    shownBy: 'an earlier holder is refused everything',
    subject: changed(forgetsToFence),
  },
  {
    what: 'lets a delayed end of an earlier epoch end the next one’s transaction',
    shownBy: 'a delayed end of an earlier epoch does nothing',
    subject: changed(forgetsToFence),
  },
  {
    what: 'shows what is not committed',
    shownBy: 'an open transaction is invisible, and holds the last stable offset',
    subject: changed(showsWhatIsOpen),
  },
  {
    what: 'makes the latest offset a barrier',
    shownBy: 'the latest offset right after a commit is no barrier, a record of one’s own is',
    subject: changed(waitsForMarkers),
  },
  {
    what: 'does not know a batch again',
    shownBy: 'a batch that is sent again is known again',
    subject: changed(forgetsSequences),
  },
  {
    what: 'does not tell its time',
    shownBy: 'the broker tells its time with each batch inside an open transaction',
    subject: changed(keepsItsTime),
  },
  {
    what: 'knows which transaction a delayed end is for',
    shownBy: 'a delayed commit of the same epoch commits half of the next transaction',
    subject: changed(refusesLateEnds),
  },
  {
    what: 'shows pending offsets of groups',
    shownBy: 'a pending offset of a group is invisible without an error',
    subject: changed(showsPendingOffsets),
  },
]

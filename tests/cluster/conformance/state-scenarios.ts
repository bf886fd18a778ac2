import { expectOk } from './lab.js'
import type { Scenario } from './scenario.js'

/** What the coordinator and the leaders of partitions refuse, and what they take a second time. */
export const stateScenarios: readonly Scenario[] = [
  {
    name: 'an end is answered again when it is asked for again, and the other end is refused',
    experiment: 'E7',
    documented: {
      nothingOpen: 'INVALID_TXN_STATE',
      again: 'OK',
      abortAfterCommit: 'INVALID_TXN_STATE',
      commitAfterAbort: 'INVALID_TXN_STATE',
      abortAgain: 'OK',
      committed: ['one'],
    },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const producer = await lab.init(id)
      const nothingOpen = await lab.end(id, producer)
      await lab.write(id, producer, topic, ['one'])
      const [again, abortAfterCommit] = [await lab.end(id, producer), await lab.end(id, producer, false)]
      await lab.open(id, producer, topic, ['two'])
      expectOk(await lab.end(id, producer, false))
      await lab.stable(topic)
      const [commitAfterAbort, abortAgain] = [await lab.end(id, producer), await lab.end(id, producer, false)]
      const committed = await lab.read(topic)
      return { nothingOpen, again, abortAfterCommit, commitAfterAbort, abortAgain, committed }
    },
  },
  {
    name: 'an unknown id, and one with the producer id of another, are refused',
    experiment: 'E1',
    documented: {
      unknownAdd: 'INVALID_PRODUCER_ID_MAPPING',
      unknownEnd: 'INVALID_PRODUCER_ID_MAPPING',
      wrongAdd: 'INVALID_PRODUCER_ID_MAPPING',
      wrongEnd: 'INVALID_PRODUCER_ID_MAPPING',
      newerEpoch: 'INVALID_PRODUCER_EPOCH',
    },
    run: async (lab) => {
      const [topic, id, other] = [await lab.topic('t'), lab.id('a'), lab.id('b')]
      const producer = await lab.init(id)
      await lab.init(other)
      const unknown = lab.id('unknown')
      return {
        unknownAdd: await lab.add(unknown, producer, topic),
        unknownEnd: await lab.end(unknown, producer),
        wrongAdd: await lab.add(other, producer, topic),
        wrongEnd: await lab.end(other, producer),
        newerEpoch: await lab.add(id, { ...producer, epoch: producer.epoch + 1 }, topic),
      }
    },
  },
  {
    name: 'a partition that is not part of the transaction takes nothing',
    experiment: 'E1',
    documented: {
      nothingOpen: 'INVALID_TXN_STATE',
      otherPartition: 'INVALID_TXN_STATE',
      afterCommit: 'INVALID_TXN_STATE',
      written: [['in'], []],
    },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t', { partitions: 2 }), lab.id('a')]
      const producer = await lab.init(id)
      const nothingOpen = await lab.produce(id, producer, topic, ['x'], { sequence: 0 })
      await lab.open(id, producer, topic, ['in'])
      const otherPartition = await lab.produce(id, producer, topic, ['x'], { partition: 1, sequence: 0 })
      expectOk(await lab.end(id, producer))
      await lab.stable(topic)
      const afterCommit = await lab.produce(id, producer, topic, ['x'], { sequence: 1 })
      const written = [await lab.read(topic), await lab.read(topic, 1, 'read_uncommitted')]
      return { nothingOpen, otherPartition, afterCommit, written }
    },
  },
  {
    name: 'a topic that is not there can not be part of a transaction',
    experiment: 'E1',
    documented: { add: 'UNKNOWN_TOPIC_OR_PARTITION', partition: 'UNKNOWN_TOPIC_OR_PARTITION' },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const producer = await lab.init(id)
      return {
        add: await lab.add(id, producer, lab.id('missing')),
        partition: await lab.add(id, producer, topic, 7),
      }
    },
  },
  {
    name: 'a batch that is sent again is known again',
    experiment: 'sequence numbers',
    documented: {
      sameOffset: true,
      sameTime: true,
      twoBack: true,
      committed: ['one', 'two', 'three', 'four'],
    },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const producer = await lab.init(id)
      expectOk(await lab.add(id, producer, topic))
      const first = await lab.append(id, producer, topic, ['one', 'two'])
      const again = await lab.append(id, producer, topic, ['one', 'two'], { sequence: 0 })
      expectOk(await lab.produce(id, producer, topic, ['three']))
      expectOk(await lab.produce(id, producer, topic, ['four']))
      const older = await lab.append(id, producer, topic, ['one', 'two'], { sequence: 0 })
      expectOk(await lab.end(id, producer))
      await lab.stable(topic)
      return {
        sameOffset: first.ok && again.ok && again.value.baseOffset === first.value.baseOffset,
        sameTime: first.ok && again.ok && again.value.logAppendTime === first.value.logAppendTime,
        twoBack: first.ok && older.ok && older.value.baseOffset === first.value.baseOffset,
        committed: await lab.read(topic),
      }
    },
  },
  {
    name: 'a gap in the sequence is refused, and so is what is too far back',
    experiment: 'sequence numbers',
    documented: {
      ahead: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
      sixBack: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
      otherSize: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
      committed: ['0', '1', '2', '3', '4', '5'],
    },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const producer = await lab.init(id)
      await lab.open(id, producer, topic, ['0'])
      const ahead = await lab.produce(id, producer, topic, ['x'], { sequence: 2 })
      for (const value of ['1', '2', '3', '4', '5']) {
        expectOk(await lab.produce(id, producer, topic, [value]))
      }
      const sixBack = await lab.produce(id, producer, topic, ['0'], { sequence: 0 })
      const otherSize = await lab.produce(id, producer, topic, ['5', '6'], { sequence: 5 })
      expectOk(await lab.end(id, producer))
      await lab.stable(topic)
      return { ahead, sixBack, otherSize, committed: await lab.read(topic) }
    },
  },
  {
    name: 'sequences go on from transaction to transaction, and begin again with a new epoch',
    experiment: 'sequence numbers',
    documented: {
      goesOn: 'OK',
      notFromZero: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
      fromZero: 'OK',
      committed: ['a', 'b', 'c'],
    },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const old = await lab.init(id)
      await lab.write(id, old, topic, ['a'])
      expectOk(await lab.add(id, old, topic))
      const goesOn = await lab.produce(id, old, topic, ['b'], { sequence: 1 })
      expectOk(await lab.end(id, old))
      const holder = await lab.init(id)
      expectOk(await lab.add(id, holder, topic))
      const notFromZero = await lab.produce(id, holder, topic, ['c'], { sequence: 2 })
      const fromZero = await lab.produce(id, holder, topic, ['c'], { sequence: 0 })
      expectOk(await lab.end(id, holder))
      await lab.stable(topic)
      return { goesOn, notFromZero, fromZero, committed: await lab.read(topic) }
    },
  },
  {
    name: 'a producer that a partition has never heard of may begin anywhere',
    experiment: 'sequence numbers',
    documented: { first: 'OK', next: 'OK', gap: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const producer = await lab.init(id)
      expectOk(await lab.add(id, producer, topic))
      return {
        first: await lab.produce(id, producer, topic, ['a'], { sequence: 7 }),
        next: await lab.produce(id, producer, topic, ['b'], { sequence: 8 }),
        gap: await lab.produce(id, producer, topic, ['c'], { sequence: 10 }),
      }
    },
  },
  {
    name: 'markers take offsets, in every partition of the transaction',
    experiment: 'E1',
    documented: { ends: [3, 1, 0], beyond: 'OFFSET_OUT_OF_RANGE', atEnd: 'OK' },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t', { partitions: 3 }), lab.id('a')]
      const producer = await lab.init(id)
      await lab.open(id, producer, topic, ['one', 'two'])
      // A part of the transaction in which nothing is written.
      expectOk(await lab.add(id, producer, topic, 1))
      expectOk(await lab.end(id, producer))
      await lab.until('both markers', async () => {
        const ends = [await lab.marks(topic, 0), await lab.marks(topic, 1)]
        return ends.every(({ highWatermark }, index) => highWatermark === [3, 1][index])
      })
      const ends = [await lab.marks(topic, 0), await lab.marks(topic, 1), await lab.marks(topic, 2)]
      return {
        ends: ends.map(({ highWatermark }) => highWatermark),
        beyond: await lab.fetchError(topic, 9),
        atEnd: await lab.fetchError(topic, 3),
      }
    },
  },
  {
    name: 'an id that nobody uses is forgotten, and begins again with a producer id of its own',
    experiment: 'expiry of ids',
    when: 'long',
    documented: {
      before: 'OK',
      after: 'INVALID_PRODUCER_ID_MAPPING',
      otherId: true,
      epoch: 0,
      committed: ['one', 'two'],
    },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const old = await lab.init(id)
      await lab.write(id, old, topic, ['one'])
      await lab.pass(20_000)
      const before = await lab.end(id, old)
      await lab.pass(10_000)
      await lab.until('the id to be forgotten', async () => (await lab.end(id, old)) !== before)
      const after = await lab.end(id, old)
      const holder = await lab.init(id)
      await lab.write(id, holder, topic, ['two'])
      const committed = await lab.read(topic)
      return { before, after, otherId: holder.producerId !== old.producerId, epoch: holder.epoch, committed }
    },
  },
]

import { expectOk } from './lab.js'
import type { Scenario } from './scenario.js'

/** Who holds a transactional id, and what is refused to all others. */
export const fenceScenarios: readonly Scenario[] = [
  {
    name: 'an earlier holder is refused everything',
    experiment: 'E1',
    documented: {
      firstAnswer: 'CONCURRENT_TRANSACTIONS',
      sameProducerId: true,
      epochStep: 2,
      add: 'INVALID_PRODUCER_EPOCH',
      produce: 'INVALID_PRODUCER_EPOCH',
      commit: 'INVALID_PRODUCER_EPOCH',
      abort: 'INVALID_PRODUCER_EPOCH',
      committed: ['kept', 'new'],
      written: ['kept', 'open', 'new'],
    },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const old = await lab.init(id)
      await lab.write(id, old, topic, ['kept'])
      await lab.open(id, old, topic, ['open'])
      const firstAnswer = await lab.tryInit(id)
      const holder = await lab.init(id)
      const refused = {
        add: await lab.add(id, old, topic),
        produce: await lab.produce(id, old, topic, ['stale']),
        commit: await lab.end(id, old),
        abort: await lab.end(id, old, false),
      }
      await lab.write(id, holder, topic, ['new'])
      return {
        firstAnswer,
        sameProducerId: holder.producerId === old.producerId,
        epochStep: holder.epoch - old.epoch,
        ...refused,
        committed: await lab.read(topic),
        written: await lab.read(topic, 0, 'read_uncommitted'),
      }
    },
  },
  {
    name: 'taking over what is idle raises the epoch by one',
    experiment: 'E1',
    documented: { first: 0, steps: [1, 1, 1], sameProducerId: true, otherId: true },
    run: async (lab) => {
      const id = lab.id('a')
      const holders = [await lab.init(id), await lab.init(id), await lab.init(id), await lab.init(id)]
      const epochs = holders.map(({ epoch }) => epoch)
      const ids = new Set(holders.map(({ producerId }) => producerId))
      const other = await lab.init(lab.id('b'))
      return {
        first: epochs[0],
        steps: epochs.slice(1).map((epoch, index) => epoch - (epochs[index] ?? 0)),
        sameProducerId: ids.size === 1,
        otherId: !ids.has(other.producerId),
      }
    },
  },
  {
    name: 'a commit that has begun is completed before the next holder begins',
    experiment: 'E7',
    documented: { wrong: 0, committed: 20 },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      let wrong = 0
      for (let round = 0; round < 20; round += 1) {
        const old = await lab.init(id)
        await lab.open(id, old, topic, [`${round}`])
        expectOk(await lab.end(id, old))
        await lab.init(id)
        if (!(await lab.read(topic)).includes(`${round}`)) wrong += 1
      }
      return { wrong, committed: (await lab.read(topic)).length }
    },
  },
  {
    name: 'a delayed end of an earlier epoch does nothing',
    experiment: 'E10',
    documented: {
      commit: 'INVALID_PRODUCER_EPOCH',
      abort: 'INVALID_PRODUCER_EPOCH',
      during: [],
      after: ['open'],
    },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const old = await lab.init(id)
      await lab.open(id, old, topic, ['stale'])
      const holder = await lab.init(id)
      await lab.open(id, holder, topic, ['open'])
      const [commit, abort] = [await lab.end(id, old), await lab.end(id, old, false)]
      await lab.pass(100)
      const during = await lab.read(topic)
      expectOk(await lab.end(id, holder))
      await lab.stable(topic)
      return { commit, abort, during, after: await lab.read(topic) }
    },
  },
  {
    name: 'a delayed commit of the same epoch commits half of the next transaction',
    experiment: 'E10',
    documented: { late: 'OK', committed: ['first', 'half'], rest: 'INVALID_TXN_STATE' },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const producer = await lab.init(id)
      await lab.write(id, producer, topic, ['first'])
      await lab.open(id, producer, topic, ['half'])
      const late = await lab.end(id, producer)
      await lab.stable(topic)
      const rest = await lab.produce(id, producer, topic, ['other half'])
      return { late, committed: await lab.read(topic), rest }
    },
  },
  {
    name: 'a delayed abort of the same epoch aborts the next transaction',
    experiment: 'E10',
    documented: { late: 'OK', own: 'INVALID_TXN_STATE', committed: ['first'] },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const producer = await lab.init(id)
      await lab.write(id, producer, topic, ['first'])
      await lab.open(id, producer, topic, ['second'])
      const late = await lab.end(id, producer, false)
      await lab.stable(topic)
      return { late, own: await lab.end(id, producer), committed: await lab.read(topic) }
    },
  },
  {
    name: 'the broker ends what is open for too long, and fences its holder',
    experiment: 'E4',
    documented: {
      produce: 'INVALID_PRODUCER_EPOCH',
      commit: 'INVALID_PRODUCER_EPOCH',
      add: 'INVALID_PRODUCER_EPOCH',
      epochStep: 2,
      committed: [],
    },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const slow = await lab.init(id, 1000)
      await lab.open(id, slow, topic, ['slow'])
      await lab.stable(topic)
      const refused = {
        produce: await lab.produce(id, slow, topic, ['late']),
        commit: await lab.end(id, slow),
        add: await lab.add(id, slow, topic),
      }
      const next = await lab.init(id)
      return { ...refused, epochStep: next.epoch - slow.epoch, committed: await lab.read(topic) }
    },
  },
]

import { expectOk, type Lab } from './lab.js'
import type { Scenario } from './scenario.js'

/** What readers see of transactions, and when. */
export const visibilityScenarios: readonly Scenario[] = [
  {
    name: 'an open transaction is invisible, and holds the last stable offset',
    experiment: 'E1',
    documented: {
      committed: ['before'],
      written: ['before', 'open'],
      stableWhileOpen: 2,
      endWhileOpen: 3,
      stableAfter: 4,
      after: ['before', 'open'],
    },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const producer = await lab.init(id)
      await lab.write(id, producer, topic, ['before'])
      await lab.open(id, producer, topic, ['open'])
      await lab.pass(100)
      const marks = await lab.marks(topic)
      const committed = await lab.read(topic)
      const written = await lab.read(topic, 0, 'read_uncommitted')
      expectOk(await lab.end(id, producer))
      await lab.stable(topic)
      return {
        committed,
        written,
        stableWhileOpen: marks.lastStableOffset,
        endWhileOpen: marks.highWatermark,
        stableAfter: (await lab.marks(topic)).lastStableOffset,
        after: await lab.read(topic),
      }
    },
  },
  {
    name: 'an aborted transaction is passed over, one among committed ones',
    experiment: 'E1',
    documented: { committed: ['a', 'c'], written: ['a', 'b', 'b', 'c'], end: 7 },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const producer = await lab.init(id)
      await lab.write(id, producer, topic, ['a'])
      await lab.open(id, producer, topic, ['b', 'b'])
      expectOk(await lab.end(id, producer, false))
      await lab.write(id, producer, topic, ['c'])
      return {
        committed: await lab.read(topic),
        written: await lab.read(topic, 0, 'read_uncommitted'),
        end: (await lab.marks(topic)).highWatermark,
      }
    },
  },
  {
    name: 'the broker tells its time with each batch inside an open transaction',
    experiment: 'E1',
    documented: { told: true, grows: true, kept: true, byProducer: -1, keptByProducer: true },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const other = await lab.topic('u', { timestamps: 'CreateTime' })
      const producer = await lab.init(id)
      expectOk(await lab.add(id, producer, topic))
      expectOk(await lab.add(id, producer, other))
      const times: number[] = []
      for (const value of ['first', 'second']) {
        const appended = await lab.append(id, producer, topic, [value])
        times.push(appended.ok ? appended.value.logAppendTime : -1)
        await lab.pass(300)
      }
      const byProducer = await lab.append(id, producer, other, ['x'])
      expectOk(await lab.end(id, producer))
      await lab.stable(topic)
      await lab.stable(other)
      const [first = -1, second = -1] = times
      return {
        told: first > 1_600_000_000_000,
        grows: second - first >= 200,
        kept: (await timesOf(lab, topic)).join() === times.join(),
        byProducer: byProducer.ok ? byProducer.value.logAppendTime : byProducer.error,
        keptByProducer: (await timesOf(lab, other)).join() === '1700000000000',
      }
    },
  },
  {
    name: 'the latest offset right after a commit is no barrier, a record of one’s own is',
    experiment: 'E3',
    documented: { behindAtTimes: true, busyAtTimes: true, otherAnswers: [], missingBehindOwnRecord: 0 },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t', { partitions: 8 }), lab.id('a')]
      let [behind, missing] = [0, 0]
      const answers = new Set<string>()
      for (let round = 0; round < 60; round += 1) {
        const old = await lab.init(id)
        for (let partition = 0; partition < 8; partition += 1) {
          await lab.open(id, old, topic, [`tick-${round}`], { partition })
        }
        // On the heels of each other: each is asked before the answer to the one before is there.
        const [ended, marks, added] = await Promise.all([
          lab.end(id, old),
          lab.marks(topic, 7),
          lab.tryAdd(id, old, topic),
        ])
        expectOk(ended)
        answers.add(added)
        if (marks.lastStableOffset < marks.highWatermark) behind += 1
        const holder = await lab.init(id)
        await lab.write(id, holder, topic, [`nonce-${round}`], { partition: 7 })
        const seen = await lab.read(topic, 7)
        if (seen.indexOf(`tick-${round}`) !== seen.indexOf(`nonce-${round}`) - 1) missing += 1
      }
      const busyAtTimes = answers.delete('CONCURRENT_TRANSACTIONS')
      answers.delete('OK')
      lab.subject.report(`E3: behind right after the commit in ${behind} of 60 rounds`)
      return {
        behindAtTimes: behind > 0,
        busyAtTimes,
        otherAnswers: [...answers],
        missingBehindOwnRecord: missing,
      }
    },
  },
  {
    name: 'an open transaction of another id holds up readers of its partition, and of no other',
    experiment: 'E4',
    documented: { shared: [], own: ['quick'], after: ['slow', 'quick'] },
    run: async (lab) => {
      const topic = await lab.topic('t', { partitions: 2 })
      const [slowId, quickId] = [lab.id('slow'), lab.id('quick')]
      const [slow, quick] = [await lab.init(slowId), await lab.init(quickId)]
      await lab.open(slowId, slow, topic, ['slow'])
      await lab.open(quickId, quick, topic, ['quick'])
      await lab.open(quickId, quick, topic, ['quick'], { partition: 1 })
      expectOk(await lab.end(quickId, quick))
      await lab.stable(topic, 1)
      await lab.pass(100)
      const [shared, own] = [await lab.read(topic), await lab.read(topic, 1)]
      expectOk(await lab.end(slowId, slow))
      await lab.stable(topic)
      return { shared, own, after: await lab.read(topic) }
    },
  },
  {
    name: 'an open transaction holds up a shared partition until the broker ends it',
    experiment: 'E4',
    documented: { before: [], after: ['behind'], heldUp: true },
    run: async (lab) => {
      const topic = await lab.topic('t')
      const [slowId, quickId] = [lab.id('slow'), lab.id('quick')]
      const slow = await lab.init(slowId, 1500)
      const quick = await lab.init(quickId)
      await lab.open(slowId, slow, topic, ['left open'])
      await lab.open(quickId, quick, topic, ['behind'])
      expectOk(await lab.end(quickId, quick))
      await lab.pass(500)
      const before = await lab.read(topic)
      const { lastStableOffset } = await lab.marks(topic)
      await lab.stable(topic)
      return { before, after: await lab.read(topic), heldUp: lastStableOffset === 0 }
    },
  },
  {
    name: 'compaction keeps the last committed record of each key, at its offset',
    experiment: 'compaction',
    documented: {
      last: { checkpoint: 'checkpoint-4', foreign: 'foreign-4', owner: 'owner' },
      fewer: true,
      inOrder: true,
      hidden: [],
    },
    run: async (lab) => {
      const cleanup = { policy: 'compact', minCompactionLagMs: 0 } as const
      const [topic, id] = [await lab.topic('t', { cleanup }), lab.id('a')]
      const producer = await lab.init(id)
      for (let n = 0; n < 5; n += 1) {
        await lab.write(id, producer, topic, [`checkpoint-${n}`], { key: 'checkpoint' })
        await lab.write(id, producer, topic, [`foreign-${n}`], { key: 'foreign' })
      }
      await lab.write(id, producer, topic, ['owner'], { key: 'owner' })
      // A real broker compacts closed segments only: what comes now begins a new one.
      await lab.pass(200)
      await lab.open(id, producer, topic, ['aborted'], { key: 'checkpoint' })
      expectOk(await lab.end(id, producer, false))
      await lab.stable(topic)
      await lab.open(id, producer, topic, ['open'], { key: 'checkpoint' })
      await lab.subject.compact(topic, 11)
      const values = await lab.read(topic)
      const lastOf = (key: string) => values.filter((value) => value.startsWith(key)).at(-1)
      return {
        last: { checkpoint: lastOf('checkpoint'), foreign: lastOf('foreign'), owner: lastOf('owner') },
        fewer: values.length < 11,
        inOrder: values.slice(-3).join() === 'checkpoint-4,foreign-4,owner',
        hidden: values.filter((value) => value === 'aborted' || value === 'open'),
      }
    },
  },
  {
    name: 'what is too old is deleted, and a reader from before is told so',
    experiment: 'retention',
    documented: { start: 2, committed: ['new'], tooOld: 'OFFSET_OUT_OF_RANGE', kept: 'OK' },
    run: async (lab) => {
      const [topic, id] = [
        await lab.topic('t', { cleanup: { policy: 'delete', retentionMs: 1500 } }),
        lab.id('a'),
      ]
      const producer = await lab.init(id)
      await lab.write(id, producer, topic, ['old'])
      await lab.pass(2000)
      await lab.write(id, producer, topic, ['new'])
      await lab.until('the old one to be deleted', async () => (await lab.marks(topic)).logStartOffset > 0)
      return {
        start: (await lab.marks(topic)).logStartOffset,
        committed: await lab.read(topic),
        tooOld: await lab.fetchError(topic, 0),
        kept: await lab.fetchError(topic, 2),
      }
    },
  },
]

async function timesOf(lab: Lab, topic: string): Promise<readonly number[]> {
  const answer = await lab.broker.fetch({ topic, partition: 0 }, 0, 'read_committed')
  return answer.ok ? answer.value.records.map(({ timestamp }) => timestamp) : []
}

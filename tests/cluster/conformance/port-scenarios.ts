import { expectOk, type Lab } from './lab.js'
import type { Scenario } from './scenario.js'

const aWhileMs = 300

/** The same questions, asked through the port: with the adapter's own code between them and the broker. */
export const portScenarios: readonly Scenario[] = [
  {
    name: 'ticks of one id, one after the other',
    experiment: 'E2',
    documented: { committed: 100, seen: 100, inOrder: true },
    run: async ({ bench, subject }) => {
      const topic = await bench.topic('runs')
      const reader = bench.read(topic)
      const holder = await bench.takeOver('a')
      const values = Array.from({ length: 100 }, (_, n) => `v-${n}`)
      const since = subject.elapsed()
      let committed = 0
      const work = async () => {
        for (const value of values) {
          await holder.send([{ topic, partition: 0, key: value, value }])
          if ((await holder.commit()) === 'committed') committed += 1
        }
      }
      await bench.settled(work())
      const ms = subject.elapsed() - since
      subject.report(`E2: ${committed} transactions of one record, ${(ms / committed).toFixed(1)} ms each`)
      await bench.before(reader, 'v-99')
      return { committed, seen: reader.values().length, inOrder: reader.values(0).join() === values.join() }
    },
  },
  {
    name: 'a commit whose answer is lost is there for the next holder, once',
    experiment: 'E7',
    documented: {
      outcome: 'outcome_unknown',
      before: ['first', 'in doubt'],
      all: ['first', 'in doubt', 'nonce'],
    },
    run: async ({ bench }) => {
      const topic = await bench.topic('checkpoints')
      const reader = bench.read(topic, bench.other())
      const old = await bench.takeOver('a')
      await bench.write(old, topic, 0, ['first'])
      await bench.send(old, topic, 0, ['in doubt'])
      bench.hook('loseNextCommitAnswer')()
      const outcome = await outcomeOf(bench, old)
      const holder = await bench.takeOver('a')
      await bench.write(holder, topic, 0, ['nonce'])
      const before = await bench.before(reader, 'nonce')
      await bench.pass(aWhileMs)
      return { outcome, before, all: reader.values() }
    },
  },
  {
    name: 'a commit that never arrives leaves nothing',
    experiment: 'E7',
    documented: { outcome: 'outcome_unknown', before: [], all: ['nonce'] },
    run: async ({ bench }) => {
      const topic = await bench.topic('checkpoints')
      const reader = bench.read(topic, bench.other())
      const old = await bench.takeOver('a')
      await bench.send(old, topic, 0, ['in doubt'])
      bench.hook('loseNextCommitRequest')()
      const outcome = await outcomeOf(bench, old)
      const holder = await bench.takeOver('a')
      await bench.write(holder, topic, 0, ['nonce'])
      const before = await bench.before(reader, 'nonce')
      await bench.pass(aWhileMs)
      return { outcome, before, all: reader.values() }
    },
  },
  {
    name: 'a commit held back until the next holder has a transaction open does nothing to it',
    experiment: 'E10',
    documented: { during: [], outcome: 'committed', before: ['open'], all: ['open', 'open still'] },
    run: async ({ bench }) => {
      const topic = await bench.topic('checkpoints')
      const reader = bench.read(topic, bench.other())
      const old = await bench.takeOver('a')
      await bench.send(old, topic, 0, ['stale'])
      const release = bench.hook('holdNextCommit')()
      const held = outcomeOf(bench, old)
      const holder = await bench.takeOver('a', bench.other())
      await bench.send(holder, topic, 0, ['open'])
      release()
      await bench.pass(aWhileMs)
      const during = reader.values()
      await bench.send(holder, topic, 0, ['open still'])
      const outcome = await outcomeOf(bench, holder)
      const before = await bench.before(reader, 'open still')
      await held
      return { during, outcome, before, all: reader.values() }
    },
  },
  {
    name: 'a process that stood still in mid-transaction is fenced when it goes on',
    experiment: 'E12',
    documented: { outcomes: ['fenced', 'fenced', 'fenced', 'fenced'], missing: 0, doubled: 0, stale: 0 },
    run: async ({ bench, subject }) => {
      const topic = await bench.topic('runs')
      const reader = bench.read(topic)
      const outcomes: string[] = []
      for (let round = 0; round < 4; round += 1) {
        const zombie = subject.transactAlone(`${subject.prefix}a`, topic, `half-${round}`)
        await bench.settled(zombie.sent)
        zombie.freeze()
        const holder = await bench.takeOver('a')
        await bench.write(holder, topic, 0, [`kept-${round}`])
        zombie.thaw()
        outcomes.push(await bench.settled(zombie.outcome))
        await bench.write(holder, topic, 0, [`after-${round}`])
      }
      await bench.before(reader, 'after-3')
      await bench.pass(aWhileMs)
      const values = reader.values()
      const wanted = [0, 1, 2, 3].flatMap((round) => [`kept-${round}`, `after-${round}`])
      return {
        outcomes,
        missing: wanted.filter((value) => !values.includes(value)).length,
        doubled: values.length - new Set(values).size,
        stale: values.filter((value) => value.startsWith('half')).length,
      }
    },
  },
  {
    name: '64 ids at once, a tick of each in every round',
    experiment: 'E14',
    documented: { committed: 320, seen: 320, outOfOrder: 0 },
    run: async ({ bench, subject }) => {
      const topic = await bench.topic('runs', 64)
      const reader = bench.read(topic)
      const ids = Array.from({ length: 64 }, (_, n) => n)
      const holders = await bench.settled(Promise.all(ids.map((n) => bench.takeOver(`p-${n}`))))
      const times: number[] = []
      let committed = 0
      for (let round = 0; round < 5; round += 1) {
        const tick = async (n: number) => {
          const since = subject.elapsed()
          const holder = holders[n]
          if (holder === undefined) return
          await holder.send([{ topic, partition: n, key: `${n}`, value: `${round}` }])
          if ((await holder.commit()) === 'committed') committed += 1
          times.push(subject.elapsed() - since)
        }
        await bench.settled(Promise.all(ids.map(tick)))
      }
      await bench.until(() => reader.records.length >= committed, 'all ticks')
      times.sort((one, two) => one - two)
      const [p50, p99] = [0.5, 0.99].map((share) => times[Math.floor(share * times.length)]?.toFixed(1))
      subject.report(`E14: 64 ids at once, p50 ${p50} ms, p99 ${p99} ms a tick`)
      const outOfOrder = ids.filter((n) => reader.values(n).join() !== '0,1,2,3,4').length
      return { committed, seen: reader.records.length, outOfOrder }
    },
  },
  {
    name: '64 ids taken over at once, half of them in mid-transaction',
    experiment: 'E15',
    documented: { wrongCheckpoints: 0, notFenced: 0 },
    run: async ({ bench, subject }) => {
      const topic = await bench.topic('checkpoints', 64)
      const reader = bench.read(topic, bench.other())
      const ids = Array.from({ length: 64 }, (_, n) => n)
      const begin = async (n: number) => {
        const holder = await bench.takeOver(`p-${n}`)
        await bench.write(holder, topic, n, [`old-${n}`])
        await bench.write(holder, topic, n, [`new-${n}`])
        if (n % 2 === 0) await bench.send(holder, topic, n, [`half-${n}`])
        return holder
      }
      const zombies = await bench.settled(Promise.all(ids.map(begin)))
      const other = bench.other()
      const since = subject.elapsed()
      const follow = async (n: number) => {
        const holder = await bench.takeOver(`p-${n}`, other)
        await bench.write(holder, topic, n, [`nonce-${n}`])
        return (await bench.before(reader, `nonce-${n}`, n)).at(-1)
      }
      const checkpoints = await bench.settled(Promise.all(ids.map(follow)))
      subject.report(`E15: 64 taken over in ${((subject.elapsed() - since) / 1000).toFixed(2)} s`)
      const late = await bench.settled(
        Promise.all(zombies.map((zombie, n) => bench.send(zombie, topic, n, [`stale-${n}`]))),
      )
      return {
        wrongCheckpoints: ids.filter((n) => checkpoints[n] !== `new-${n}`).length,
        notFenced: late.filter(({ outcome }) => outcome !== 'fenced').length,
      }
    },
  },
  {
    name: 'a broker that dies with a transaction open keeps what was committed, and nothing else',
    experiment: 'E9',
    when: 'last',
    documented: { outcome: 'outcome_unknown', before: ['kept'], after: ['kept', 'nonce'] },
    run: async ({ bench, subject }) => {
      const topic = await bench.topic('checkpoints')
      const old = await bench.takeOver('a')
      await bench.write(old, topic, 0, ['kept'])
      await bench.send(old, topic, 0, ['open'])
      await subject.kill()
      // Before it is back: what arrives after that may be done, and its answer be lost.
      const outcome = await outcomeOf(bench, old)
      await bench.settled(subject.restart())
      const holder = await bench.takeOver('a', bench.other())
      await bench.write(holder, topic, 0, ['nonce'])
      const reader = bench.read(topic, bench.other())
      const before = await bench.before(reader, 'nonce')
      await bench.pass(aWhileMs)
      return { outcome, before, after: reader.values() }
    },
  },
  {
    name: 'a transaction that was open when the broker died stays open until somebody takes over',
    experiment: 'E9',
    when: 'last',
    documented: {
      stable: 2,
      end: 3,
      sameEpochGoesOn: 'OK',
      committed: ['kept', 'open', 'more'],
      epochStep: 1,
    },
    run: async (lab) => {
      const [topic, id] = [await lab.topic('t'), lab.id('a')]
      const producer = await lab.init(id)
      await lab.write(id, producer, topic, ['kept'])
      await lab.open(id, producer, topic, ['open'])
      await lab.subject.kill()
      await lab.bench.settled(lab.subject.restart())
      const marks = await lab.marks(topic)
      const sameEpochGoesOn = await lab.produce(id, producer, topic, ['more'])
      expectOk(await lab.end(id, producer))
      await lab.stable(topic)
      const next = await lab.init(id)
      return {
        stable: marks.lastStableOffset,
        end: marks.highWatermark,
        sameEpochGoesOn,
        committed: await lab.read(topic),
        epochStep: next.epoch - producer.epoch,
      }
    },
  },
]

/** How a commit ended for who asked: the outcome, or the code of the fault. */
const outcomeOf = (bench: Lab['bench'], holder: Awaited<ReturnType<Lab['bench']['takeOver']>>) =>
  bench.settled(holder.commit().catch((fault: { readonly code?: string }) => fault.code ?? String(fault)))

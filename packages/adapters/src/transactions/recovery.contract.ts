import { expect, it } from 'vitest'
import type { HookName, TransactionBench } from './transaction-bench.contract.js'

const aWhileMs = 300

type Bench = () => TransactionBench

/** What is left of a commit when the network, the log or its housekeeping get in between. */
export const recoveryContract = (bench: Bench, hooks: ReadonlySet<HookName>): void => {
  for (const [hook, suite] of Object.entries(suites)) if (hooks.has(hook as HookName)) suite(bench)
}

/** How a commit ended for who asked. */
const outcomeOf = (bench: TransactionBench, commit: Promise<'committed' | 'fenced'>) =>
  bench.settled(commit.catch((fault: { readonly code?: string }) => fault.code ?? String(fault)))

const lostAnswer = (bench: Bench) => {
  it('has the commit whose answer was lost, once, for the next holder to find (E7)', async () => {
    const topic = await bench().topic('checkpoints')
    const reader = bench().read(topic, bench().other())
    const old = await bench().takeOver('a')
    await bench().write(old, topic, 0, ['first'])
    await bench().send(old, topic, 0, ['in doubt'])
    bench().hook('loseNextCommitAnswer')()
    expect(await outcomeOf(bench(), old.commit())).toBe('outcome_unknown')
    const holder = await bench().takeOver('a')
    await bench().write(holder, topic, 0, ['nonce'])
    expect(await bench().before(reader, 'nonce')).toEqual(['first', 'in doubt'])
    await bench().pass(aWhileMs)
    expect(reader.values()).toEqual(['first', 'in doubt', 'nonce'])
  })
}

const lostRequest = (bench: Bench) => {
  it('has nothing of a commit that never arrived, once the next holder is there', async () => {
    const topic = await bench().topic('checkpoints')
    const reader = bench().read(topic, bench().other())
    const old = await bench().takeOver('a')
    await bench().send(old, topic, 0, ['in doubt'])
    bench().hook('loseNextCommitRequest')()
    expect(await outcomeOf(bench(), old.commit())).toBe('outcome_unknown')
    const holder = await bench().takeOver('a')
    await bench().write(holder, topic, 0, ['nonce'])
    expect(await bench().before(reader, 'nonce')).toEqual([])
    await bench().pass(aWhileMs)
    expect(reader.values()).toEqual(['nonce'])
  })
}

const heldCommit = (bench: Bench) => {
  it('lets the delayed commit of an earlier holder do nothing to the transaction of the next (E10)', async () => {
    const topic = await bench().topic('checkpoints')
    const reader = bench().read(topic, bench().other())
    const old = await bench().takeOver('a')
    await bench().send(old, topic, 0, ['stale'])
    const release = bench().hook('holdNextCommit')()
    const outcome = outcomeOf(bench(), old.commit())
    const holder = await bench().takeOver('a', bench().other())
    await bench().send(holder, topic, 0, ['open'])
    release()
    await bench().pass(aWhileMs)
    expect(reader.values()).toEqual([])
    await bench().send(holder, topic, 0, ['open still'])
    expect(await bench().settled(holder.commit())).toBe('committed')
    expect(await bench().before(reader, 'open still')).toEqual(['open'])
    expect(['fenced', 'outcome_unknown']).toContain(await outcome)
  })
}

const slowMarkers = (bench: Bench) => {
  it('lets the next holder wait for a commit that was answered before it became visible', async () => {
    const topic = await bench().topic('checkpoints')
    const reader = bench().read(topic, bench().other())
    const old = await bench().takeOver('a')
    await bench().send(old, topic, 0, ['tick'])
    bench().hook('delayNextMarkers')(500)
    expect(await bench().settled(old.commit())).toBe('committed')
    expect(reader.values()).toEqual([])
    const holder = await bench().takeOver('a', bench().other())
    await bench().write(holder, topic, 0, ['nonce'])
    expect(await bench().before(reader, 'nonce')).toEqual(['tick'])
  })

  it('takes the next transaction of the same holder while the last is not visible yet', async () => {
    const topic = await bench().topic('checkpoints')
    const reader = bench().read(topic)
    const holder = await bench().takeOver('a')
    await bench().send(holder, topic, 0, ['one'])
    bench().hook('delayNextMarkers')(500)
    expect(await bench().settled(holder.commit())).toBe('committed')
    await bench().write(holder, topic, 0, ['two'])
    expect(await bench().before(reader, 'two')).toEqual(['one'])
  })
}

const compaction = (bench: Bench) => {
  it('keeps the newest record of each key when it compacts, in order', async () => {
    const topic = await bench().topic('checkpoints')
    const early = bench().read(topic)
    const holder = await bench().takeOver('a')
    for (let n = 0; n < 5; n++) {
      await bench().write(holder, topic, 0, [`checkpoint-${n}`], '0:checkpoint')
      await bench().write(holder, topic, 1, [`foreign-${n}`], '1:checkpoint')
    }
    await bench().write(holder, topic, 0, ['owner'], '0:owner')
    await bench().before(early, 'owner')
    await bench().settled(bench().hook('compact')(topic))
    const late = bench().read(topic, bench().other())
    expect((await bench().before(late, 'owner')).at(-1)).toBe('checkpoint-4')
    await bench().before(late, 'foreign-4', 1)
    // A reader that had them goes on behind them, and is shown none of them anew.
    await bench().write(holder, topic, 0, ['after'], '0:checkpoint')
    expect((await bench().before(early, 'after')).slice(-2)).toEqual(['checkpoint-4', 'owner'])
  })

  it('compacts no pending and no aborted record into view', async () => {
    const topic = await bench().topic('checkpoints')
    const holder = await bench().takeOver('a')
    await bench().write(holder, topic, 0, ['kept'], '0:checkpoint')
    await bench().send(holder, topic, 0, ['aborted'], '0:checkpoint')
    await bench().settled(holder.abort())
    await bench().send(holder, topic, 0, ['pending'], '0:checkpoint')
    await bench().settled(bench().hook('compact')(topic))
    const reader = bench().read(topic, bench().other())
    await bench().before(reader, 'kept')
    await bench().pass(aWhileMs)
    expect(reader.values()).toEqual(['kept'])
  })
}

const restart = (bench: Bench) => {
  it('keeps what was committed and nothing that was open when it dies (E9)', async () => {
    const topic = await bench().topic('checkpoints')
    const old = await bench().takeOver('a')
    await bench().write(old, topic, 0, ['kept'])
    await bench().send(old, topic, 0, ['open'])
    await bench().settled(bench().hook('restart')())
    const holder = await bench().takeOver('a', bench().other())
    expect(await outcomeOf(bench(), old.commit())).not.toBe('committed')
    await bench().write(holder, topic, 0, ['nonce'])
    const reader = bench().read(topic, bench().other())
    expect(await bench().before(reader, 'nonce')).toEqual(['kept'])
  })
}

const serverTimeout = (bench: Bench) => {
  it('ends a transaction that was left open, so that readers of its partitions go on', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const [slow, quick] = [await bench().takeOver('slow'), await bench().takeOver('quick')]
    await bench().send(slow, topic, 0, ['left open'])
    await bench().write(quick, topic, 0, ['behind'])
    await bench().pass(bench().hook('serverTimeoutMs'))
    expect(await bench().before(reader, 'behind')).toEqual([])
    expect(await outcomeOf(bench(), slow.commit())).not.toBe('committed')
    await bench().pass(aWhileMs)
    expect(reader.values()).toEqual(['behind'])
  })
}

const suites: Readonly<Record<HookName, (bench: Bench) => void>> = {
  loseNextCommitAnswer: lostAnswer,
  loseNextCommitRequest: lostRequest,
  holdNextCommit: heldCommit,
  delayNextMarkers: slowMarkers,
  compact: compaction,
  restart,
  serverTimeoutMs: serverTimeout,
}

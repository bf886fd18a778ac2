import { expect, it } from 'vitest'
import type { TransactionBench } from './transaction-bench.contract.js'
import type { Transactor } from './transaction-log.js'

const aWhileMs = 300

/** One effective holder of a transactional id, and a barrier behind which nothing of the earlier ones appears. */
export const fencingContract = (bench: () => TransactionBench): void => {
  fences(bench)
  barriers(bench)
  crowds(bench)
}

const fences = (bench: () => TransactionBench) => {
  it('fences an earlier holder when it sends (E1)', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const old = await bench().takeOver('a')
    await bench().write(old, topic, 0, ['before'])
    const holder = await bench().takeOver('a', bench().other())
    expect((await bench().send(old, topic, 0, ['stale'])).outcome).toBe('fenced')
    await bench().write(holder, topic, 0, ['after'])
    expect(await bench().before(reader, 'after')).toEqual(['before'])
    await bench().pass(aWhileMs)
    expect(reader.values()).toEqual(['before', 'after'])
  })

  it('fences an earlier holder when it commits, and aborts what it had sent (E1)', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const old = await bench().takeOver('a')
    await bench().send(old, topic, 0, ['stale'])
    const holder = await bench().takeOver('a', bench().other())
    expect(await bench().settled(old.commit())).toBe('fenced')
    await bench().write(holder, topic, 0, ['after'])
    expect(await bench().before(reader, 'after')).toEqual([])
    await bench().pass(aWhileMs)
    expect(reader.values()).toEqual(['after'])
  })

  it('fences within one client as between two', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const old = await bench().takeOver('a')
    await bench().send(old, topic, 0, ['stale'])
    const holder = await bench().takeOver('a')
    expect(await bench().settled(old.commit())).toBe('fenced')
    await bench().write(holder, topic, 0, ['after'])
    expect(await bench().before(reader, 'after')).toEqual([])
  })

  it('fences no holder of another id', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const one = await bench().takeOver('one')
    await bench().send(one, topic, 0, ['mine'])
    await bench().takeOver('two', bench().other())
    expect(await bench().settled(one.commit())).toBe('committed')
    expect(await bench().before(reader, 'mine')).toEqual([])
  })

  it('fences every zombie that wakes up in the middle of its transaction (E12)', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    let holder = await bench().takeOver('a')
    const zombies: Transactor[] = []
    for (let round = 0; round < 8; round++) {
      await bench().write(holder, topic, 0, [`kept-${round}`])
      await bench().send(holder, topic, 0, [`half-${round}`])
      zombies.push(holder)
      holder = await bench().takeOver('a', round % 2 === 0 ? bench().other() : bench().log)
    }
    await bench().write(holder, topic, 0, ['alive'])
    for (const [round, zombie] of zombies.entries()) {
      if (round % 2 === 0) expect((await bench().send(zombie, topic, 0, ['stale'])).outcome).toBe('fenced')
      else expect(await bench().settled(zombie.commit())).toBe('fenced')
    }
    await bench().write(holder, topic, 0, ['end'])
    const kept = Array.from({ length: 8 }, (_, round) => `kept-${round}`)
    expect(await bench().before(reader, 'end')).toEqual([...kept, 'alive'])
  })
}

const barriers = (bench: () => TransactionBench) => {
  it('shows all that earlier holders have committed before what a later one writes', async () => {
    const topic = await bench().topic('checkpoints')
    const reader = bench().read(topic, bench().other())
    const committed: string[] = []
    for (let round = 0; round < 12; round++) {
      const holder = await bench().takeOver('a', round % 2 === 0 ? bench().log : bench().other())
      await bench().write(holder, topic, 0, [`nonce-${round}`])
      expect(await bench().before(reader, `nonce-${round}`)).toEqual(committed)
      await bench().write(holder, topic, 0, [`tick-${round}`])
      committed.push(`nonce-${round}`, `tick-${round}`)
    }
  })

  it('decides a commit that has begun before the next holder writes: it is there, or never will be', async () => {
    const topic = await bench().topic('checkpoints')
    const reader = bench().read(topic, bench().other())
    for (let round = 0; round < 12; round++) {
      const old = await bench().takeOver('a')
      await bench().send(old, topic, 0, [`tick-${round}`])
      const commit = old.commit().catch(() => 'unknown' as const)
      await bench().pass(round % 4)
      const holder = await bench().takeOver('a', bench().other())
      await bench().write(holder, topic, 0, [`nonce-${round}`])
      const before = await bench().before(reader, `nonce-${round}`)
      const outcome = await bench().settled(commit)
      if (outcome !== 'unknown') expect(before.includes(`tick-${round}`)).toBe(outcome === 'committed')
      await bench().pass(aWhileMs)
      const behind = reader.values(0).slice(before.length)
      expect(behind).toEqual([`nonce-${round}`])
    }
  })

  it('is not held up by the open transaction of the holder that it follows', async () => {
    const topic = await bench().topic('checkpoints')
    const reader = bench().read(topic)
    const old = await bench().takeOver('a')
    await bench().send(old, topic, 0, ['open'])
    const holder = await bench().takeOver('a', bench().other())
    await bench().write(holder, topic, 0, ['nonce'])
    expect(await bench().before(reader, 'nonce')).toEqual([])
  })
}

const crowds = (bench: () => TransactionBench) => {
  it('takes 64 ids over at once, half of them in mid-transaction, with no wrong checkpoint (E15)', async () => {
    const topic = await bench().topic('checkpoints', 64)
    const reader = bench().read(topic, bench().other())
    const ids = Array.from({ length: 64 }, (_, n) => n)
    const begin = async (n: number) => {
      const holder = await bench().takeOver(`p-${n}`)
      await bench().write(holder, topic, n, [`old-${n}`], `${n}:checkpoint`)
      await bench().write(holder, topic, n, [`new-${n}`], `${n}:checkpoint`)
      if (n % 2 === 0) await bench().send(holder, topic, n, [`half-${n}`], `${n}:checkpoint`)
      return holder
    }
    const zombies = await bench().settled(Promise.all(ids.map(begin)))
    const log = bench().other()
    const follow = async (n: number) => {
      const holder = await bench().takeOver(`p-${n}`, log)
      await bench().write(holder, topic, n, [`nonce-${n}`], `${n}:owner`)
      return (await bench().before(reader, `nonce-${n}`, n)).at(-1)
    }
    const checkpoints = await bench().settled(Promise.all(ids.map(follow)))
    expect(checkpoints).toEqual(ids.map((n) => `new-${n}`))
    const outcomes = await bench().settled(
      Promise.all(zombies.map((zombie, n) => bench().send(zombie, topic, n, [`stale-${n}`]))),
    )
    expect(outcomes.every(({ outcome }) => outcome === 'fenced')).toBe(true)
  })

  it('leaves one holder when many take one id over at the same time', async () => {
    const topic = await bench().topic('checkpoints')
    const reader = bench().read(topic)
    const logs = [bench().log, bench().other(), bench().other()]
    const names = Array.from({ length: 9 }, (_, n) => `holder-${n}`)
    const holders = await bench().settled(
      Promise.allSettled(names.map((_, n) => bench().takeOver('a', logs[n % logs.length]))),
    )
    // One that was overtaken while it took over may be told so by a fault; the last one can't be.
    const taken = holders.flatMap((holder) => (holder.status === 'fulfilled' ? [holder.value] : []))
    const outcomes: string[] = []
    for (const [n, holder] of taken.entries()) {
      const sent = await bench().send(holder, topic, 0, [`holder-${n}`])
      outcomes.push(sent.outcome === 'sent' ? await bench().settled(holder.commit()) : sent.outcome)
    }
    expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'fenced')).toHaveLength(taken.length - 1)
    await bench().before(reader, `holder-${outcomes.indexOf('committed')}`)
    await bench().pass(aWhileMs)
    expect(reader.values()).toHaveLength(1)
  })
}

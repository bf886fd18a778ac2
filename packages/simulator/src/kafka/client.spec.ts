import type { CommittedRecord, LogRecord } from '@almanac/adapters/transactions'
import { createStop, PortFault } from '@almanac/engine'
import { describe, expect, it } from 'vitest'
import { SimProcess, SimWorld } from '../world/index.js'
import { kept } from './brokers.spec-support.js'
import { KafkaModel, type KafkaTuning, SimTransactionLog, type SimTransactionLogOptions } from './index.js'

const record = (value: string, partition = 0): LogRecord => ({ topic: 't', partition, key: value, value })

/** Nodes and brokers in a world. */
class Bench {
  readonly world: SimWorld
  readonly kafka: KafkaModel
  readonly stop = createStop()

  constructor(seed = 1, tuning: Partial<KafkaTuning> = {}) {
    this.world = new SimWorld({ seed })
    this.kafka = new KafkaModel(this.world, tuning)
    this.kafka.createTopic('t', kept(4))
  }

  client(name: string, options: SimTransactionLogOptions = {}): SimTransactionLog {
    return new SimTransactionLog(new SimProcess(this.world, name), this.kafka, options)
  }

  link(name: string) {
    return this.world.network.link(name, 'kafka')
  }

  /** Runs the world until the work is done; a fault comes back as its code. */
  async run<T>(work: Promise<T>): Promise<T | string> {
    let result: { readonly value: T | string } | undefined
    work.then(
      (value) => {
        result = { value }
      },
      (error: unknown) => {
        result = { value: error instanceof PortFault ? error.code : String(error) }
      },
    )
    for (let steps = 0; result === undefined && steps < 100_000; steps++) await this.world.runFor(1)
    if (result === undefined) throw new Error('It does not end')
    return result.value
  }

  /** Follows the topic once; `end` tells how that ended. */
  follow(log: SimTransactionLog) {
    const seen: CommittedRecord[] = []
    const tape = { seen, values: () => seen.map(({ value }) => value), end: 'none' }
    const read = async () => {
      for await (const batch of log.follow('t', this.stop)) seen.push(...batch)
    }
    read().then(
      () => {
        tape.end = 'stopped'
      },
      (error: unknown) => {
        tape.end = error instanceof PortFault ? error.code : String(error)
      },
    )
    return tape
  }

  async takeOver(log: SimTransactionLog, id = 'a') {
    const holder = await this.run(log.takeOver(id))
    if (typeof holder === 'string') throw new Error(holder)
    return holder
  }
}

describe('taking over', () => {
  it('waits for a coordinator that moves', async () => {
    const bench = new Bench()
    const log = bench.client('node')
    await bench.takeOver(log)
    bench.kafka.moveCoordinator('all', 2000)
    const since = bench.world.now
    await bench.takeOver(log)
    expect(bench.world.now - since).toBeGreaterThanOrEqual(2000)
  })

  it('gives up at the deadline: surely undone while nobody answers for the id', async () => {
    const bench = new Bench()
    bench.kafka.moveCoordinator('all', 60_000)
    expect(await bench.run(bench.client('node').takeOver('a'))).toBe('unavailable')
  })

  it('gives up with an unknown outcome when the transaction before does not end: it is fenced', async () => {
    const bench = new Bench(1, { markerMinMs: 60_000, markerMaxMs: 60_000 })
    const log = bench.client('node')
    const old = await bench.takeOver(log)
    await bench.run(old.send([record('open')]))
    expect(await bench.run(bench.client('other').takeOver('a'))).toBe('outcome_unknown')
    expect(await bench.run(old.commit())).toBe('fenced')
  })
})

describe('a transactor', () => {
  it('is over after a fault, whatever was done', async () => {
    const bench = new Bench()
    const holder = await bench.takeOver(bench.client('node'))
    bench.link('node').answerLoss = 1
    expect(await bench.run(holder.send([record('x')]))).toBe('outcome_unknown')
    bench.link('node').answerLoss = 0
    expect(await bench.run(holder.send([record('y')]))).toBe('unavailable')
    expect(await bench.run(holder.commit())).toBe('unavailable')
  })

  it('says so again once it is fenced, and after its close nothing', async () => {
    const bench = new Bench()
    const log = bench.client('node')
    const old = await bench.takeOver(log)
    const holder = await bench.takeOver(log)
    expect(await bench.run(old.send([record('x')]))).toEqual({ outcome: 'fenced' })
    expect(await bench.run(old.commit())).toBe('fenced')
    await bench.run(holder.close())
    expect(await bench.run(holder.send([record('x')]))).toBe('unavailable')
  })

  it('is fenced by the broker when its transaction is open for too long', async () => {
    const bench = new Bench()
    const holder = await bench.takeOver(bench.client('node', { transactionTimeoutMs: 3000 }))
    await bench.run(holder.send([record('x')]))
    await bench.world.runFor(15_000)
    expect(await bench.run(holder.commit())).toBe('fenced')
  })

  it('commits nothing without a request', async () => {
    const bench = new Bench()
    const holder = await bench.takeOver(bench.client('node'))
    expect(await bench.run(holder.commit())).toBe('committed')
    expect(bench.world.counts.get('call: kafka EndTxn')).toBeUndefined()
  })

  it('is in doubt when the coordinator moves before the commit', async () => {
    const bench = new Bench()
    const holder = await bench.takeOver(bench.client('node'))
    await bench.run(holder.send([record('x')]))
    bench.kafka.moveCoordinator('all', 100)
    expect(await bench.run(holder.commit())).toBe('outcome_unknown')
  })

  it('has each request done once, even when the network doubles every one', async () => {
    const bench = new Bench()
    const tape = bench.follow(bench.client('reader'))
    const holder = await bench.takeOver(bench.client('node'))
    bench.link('node').duplication = 1
    const values = Array.from({ length: 40 }, (_, n) => `${n}`)
    for (const [n, value] of values.entries()) {
      await bench.run(holder.send([record(value, n % 4), record(`${value}!`, (n + 1) % 4)]))
      // Long enough for the second copy of an earlier commit to come in the middle of a transaction.
      await bench.world.runFor(50)
      if (n % 10 === 9) await bench.run(holder.abort())
      else expect(await bench.run(holder.commit())).toBe('committed')
    }
    await bench.world.runFor(1000)
    const kept = values.filter((_, n) => n % 10 !== 9).flatMap((value) => [value, `${value}!`])
    expect(tape.values().sort()).toEqual(kept.sort())
  })
})

describe('a reader', () => {
  it('goes on from its place after brokers were away for a while', async () => {
    const bench = new Bench()
    const tape = bench.follow(bench.client('reader'))
    const log = bench.client('node')
    const write = async (value: string) => {
      const holder = await bench.takeOver(log)
      await bench.run(holder.send([record(value)]))
      expect(await bench.run(holder.commit())).toBe('committed')
    }
    await write('one')
    await bench.world.runFor(100)
    bench.kafka.crash()
    expect(await bench.run(log.takeOver('a'))).toBe('unavailable')
    await bench.world.runFor(3000)
    bench.kafka.restart()
    await write('two')
    await bench.world.runFor(3000)
    expect(tape).toMatchObject({ end: 'none' })
    expect(tape.values()).toEqual(['one', 'two'])
  })

  it('gives up when they are away for long', async () => {
    const bench = new Bench()
    const tape = bench.follow(bench.client('reader'))
    await bench.world.runFor(100)
    bench.kafka.crash()
    await bench.world.runFor(9000)
    expect(tape.end).toBe('none')
    await bench.world.runFor(3000)
    expect(tape.end).toBe('unavailable')
  })

  it('gives up when what it wants next is gone', async () => {
    const bench = new Bench()
    const holder = await bench.takeOver(bench.client('node'))
    const tape = bench.follow(bench.client('reader'))
    await bench.world.runFor(100)
    bench.link('reader').cut = 'silent'
    await bench.run(holder.send([record('x')]))
    await bench.run(holder.commit())
    await bench.world.runFor(1000)
    bench.kafka.emptyTopic('t')
    bench.link('reader').cut = 'none'
    await bench.world.runFor(8000)
    expect(tape.end).toBe('unavailable')
  })

  it('passes over what was aborted, and then waits for more', async () => {
    const bench = new Bench()
    bench.follow(bench.client('reader'))
    const holder = await bench.takeOver(bench.client('node'))
    await bench.run(holder.send([record('x')]))
    await bench.run(holder.abort())
    const fetches = () => bench.world.counts.get('call: kafka Fetch') ?? 0
    const before = fetches()
    await bench.world.runFor(10_000)
    expect(fetches() - before).toBeLessThan(12)
  })

  it('ends when it is stopped, while it waits', async () => {
    const bench = new Bench()
    const tape = bench.follow(bench.client('reader'))
    await bench.world.runFor(1500)
    expect(tape.end).toBe('none')
    bench.world.after(0, () => bench.stop.stop())
    await bench.world.runFor(1)
    expect(tape.end).toBe('stopped')
  })

  it('misses nothing and sees nothing twice on a bad link', async () => {
    const bench = new Bench(3)
    Object.assign(bench.link('reader'), {
      requestLoss: 0.1,
      answerLoss: 0.1,
      duplication: 0.1,
      reordering: 0.1,
    })
    const tape = bench.follow(bench.client('reader', { requestTimeoutMs: 300 }))
    const holder = await bench.takeOver(bench.client('node'))
    for (let n = 0; n < 60; n++) {
      await bench.run(holder.send([record(`${n}`, n % 4)]))
      await bench.run(holder.commit())
      await bench.world.runFor(30)
    }
    await bench.world.runFor(5000)
    for (const partition of [0, 1, 2, 3]) {
      const values = tape.seen
        .filter((each) => each.partition === partition)
        .map(({ value }) => Number(value))
      expect(values).toEqual(Array.from({ length: 15 }, (_, n) => 4 * n + partition))
    }
  })
})

it('does the same again from the same seed', async () => {
  const hashOf = async (seed: number) => {
    const bench = new Bench(seed)
    const reader = bench.client('reader')
    bench.follow(reader)
    const log = bench.client('node')
    for (let n = 0; n < 20; n++) {
      const holder = await bench.takeOver(log, `id-${n % 3}`)
      await bench.run(holder.send([record(`${n}`, n % 4)]))
      if (n % 5 !== 0) await bench.run(holder.commit())
    }
    return bench.world.traceHash()
  }
  expect(await hashOf(7)).toBe(await hashOf(7))
  expect(await hashOf(7)).not.toBe(await hashOf(8))
})

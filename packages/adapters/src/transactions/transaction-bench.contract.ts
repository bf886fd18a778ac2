import { createStop } from '@almanac/engine'
import { expect } from 'vitest'
import type { CommittedRecord, LogRecord, TransactionLog, Transactor } from './transaction-log.js'

/** A log, and how to let time pass for it. */
export interface TransactionLogFixture {
  readonly log: TransactionLog
  /** Another client of the same log, as another node is. */
  otherLog(): TransactionLog
  /** Lets `ms` pass for the log and its clients: virtual time in a model, a wait on a real broker. */
  pass(ms: number): Promise<void>
  /** Before names of topics and transactional ids, so that what earlier tests have left behind is not met. */
  readonly prefix?: string
  /** Called before a topic is used; absent when the log creates topics by itself. */
  createTopic?(topic: string, partitions: number): Promise<void>
  readonly hooks?: TransactionLogHooks
  close(): Promise<void>
}

/** Faults that a fixture can bring about. Each concerns what happens next, once. */
export interface TransactionLogHooks {
  /** The next commit is done, but its answer never arrives. */
  loseNextCommitAnswer?(): void
  /** The next commit never arrives. */
  loseNextCommitRequest?(): void
  /** The next commit's request is held back in the network until the returned function is called. */
  holdNextCommit?(): () => void
  /** The next commit is answered at once, and becomes visible only so much later. */
  delayNextMarkers?(ms: number): void
  /** Compacts a topic: of each key only the newest record has to be kept. */
  compact?(topic: string): Promise<void>
  /** The log dies and comes back with all that was committed. */
  restart?(): Promise<void>
  /** After this long the log itself ends an open transaction and fences its holder. */
  readonly serverTimeoutMs?: number
}

export type HookName = keyof TransactionLogHooks

/** Longest wait for anything, on the fixture's time. */
const patienceMs = 60_000
const stepMs = 10

export interface Reader {
  readonly records: readonly CommittedRecord[]
  /** Values in the order in which they were seen, of one partition or of all. */
  values(partition?: number): readonly string[]
}

/** The fixture with what the suites do with it again and again. */
export class TransactionBench {
  private readonly fixture: TransactionLogFixture
  private readonly stop = createStop()
  private readonly reading: Promise<void>[] = []
  private readonly created = new Set<string>()
  private step: Promise<void> | undefined

  constructor(fixture: TransactionLogFixture) {
    this.fixture = fixture
  }

  get log(): TransactionLog {
    return this.fixture.log
  }

  other(): TransactionLog {
    return this.fixture.otherLog()
  }

  async pass(ms: number): Promise<void> {
    while (this.step !== undefined) await this.step
    const step = this.fixture.pass(ms)
    this.step = step
    await step
    this.step = undefined
  }

  /** A little time for all who wait: those who come while it passes share it. */
  private async tick(): Promise<void> {
    await (this.step ?? this.pass(stepMs))
  }

  /** A hook that the suite was told of. */
  hook<K extends keyof TransactionLogHooks>(name: K): NonNullable<TransactionLogHooks[K]> {
    const hook = this.fixture.hooks?.[name]
    if (hook === undefined || hook === null) throw new Error(`The fixture has no hook ${name}`)
    return (typeof hook === 'function' ? hook.bind(this.fixture.hooks) : hook) as never
  }

  /** The topic's name in this log. */
  async topic(name: string, partitions = 4): Promise<string> {
    const topic = `${this.fixture.prefix ?? ''}${name}`
    if (!this.created.has(topic)) {
      this.created.add(topic)
      const creation = this.fixture.createTopic?.(topic, partitions)
      if (creation !== undefined) await this.settled(creation)
    }
    return topic
  }

  takeOver(id: string, log = this.log): Promise<Transactor> {
    return this.settled(log.takeOver(`${this.fixture.prefix ?? ''}${id}`))
  }

  /** Sends the values to a partition as one batch; the key is the value unless given. */
  async send(holder: Transactor, topic: string, partition: number, values: readonly string[], key?: string) {
    const records = values.map((value): LogRecord => ({ topic, partition, key: key ?? value, value }))
    return await this.settled(holder.send(records))
  }

  /** Sends and commits, and fails the test when either does not work. */
  async write(holder: Transactor, topic: string, partition: number, values: readonly string[], key?: string) {
    expect((await this.send(holder, topic, partition, values, key)).outcome).toBe('sent')
    expect(await this.settled(holder.commit())).toBe('committed')
  }

  /** Reads the topic until the test ends, `from` as in `follow`. A reading that breaks off begins again. */
  read(topic: string, log = this.log, from?: ReadonlyMap<number, number>): Reader {
    const reader = new Tape()
    const follow = async () => {
      while (!this.stop.stopped) {
        reader.records.length = 0
        try {
          for await (const batch of log.follow(topic, this.stop, from)) reader.records.push(...batch)
        } catch {
          await this.tick()
        }
      }
    }
    this.reading.push(follow())
    return reader
  }

  /** Waits until the reader has seen the value, and gives all values of that partition before it. */
  async before(reader: Reader, value: string, partition = 0): Promise<readonly string[]> {
    await this.until(() => reader.values(partition).includes(value), `${value} to be seen`)
    const values = reader.values(partition)
    return values.slice(0, values.indexOf(value))
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    for (let passed = 0; !condition(); passed += stepMs) {
      if (passed > patienceMs) throw new Error(`Waited in vain for ${what}`)
      await this.tick()
    }
  }

  /** What the promise comes to, while time passes. */
  async settled<T>(work: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    work.then(settle, settle)
    // Most are settled without any time: a wait would let the log do more than the caller has asked for.
    for (let turn = 0; turn < 20 && !isSettled; turn++) await undefined
    await this.until(() => isSettled, 'an answer')
    return await work
  }

  async close(): Promise<void> {
    this.stop.stop()
    for (const reading of this.reading) await this.settled(reading)
    await this.fixture.close()
  }
}

class Tape implements Reader {
  readonly records: CommittedRecord[] = []

  values(partition?: number): readonly string[] {
    return this.records
      .filter((record) => partition === undefined || record.partition === partition)
      .map(({ value }) => value)
  }
}

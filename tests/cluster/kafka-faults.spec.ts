import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KafkaRecordWriter, KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import type { CommittedRecord, Transactor } from '@almanac/adapters/transactions'
import { createStop } from '@almanac/engine'
import { type KafkaServer, startKafka } from '@almanac/infra'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, entries } from './kafka-fixture.js'

const zombie = fileURLToPath(new URL('./kafka-zombie.mjs', import.meta.url))
const clock = systemClock()
/** Shorter than the faults, so that they are noticed. */
const options = { requestTimeoutMs: 1_000, deadlineMs: 3_000, unreadableMs: 2_000 }

let folder = ''
let broker: KafkaServer
let log: KafkaTransactionLog
const undo: (() => unknown)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-faults-'))
  broker = await startKafka({ folder })
  log = new KafkaTransactionLog({ connection: parseKafka(broker.bootstrap), clock, options })
})

afterAll(async () => {
  await broker.kill()
  await rm(folder, { recursive: true, force: true })
})

afterEach(async () => {
  for (const each of undo.splice(0)) await each()
})

const newTopic = async (name: string, numPartitions = 1): Promise<string> => {
  const configEntries = entries({ 'message.timestamp.type': 'LogAppendTime' })
  await createTopic(broker.bootstrap, { topic: name, numPartitions, configEntries })
  return name
}

/** Reads until the test ends, and begins again after a fault. */
const read = (topic: string) => {
  let records: CommittedRecord[] = []
  let faults = 0
  const stop = createStop()
  const follow = async () => {
    while (!stop.stopped) {
      records = []
      try {
        for await (const batch of log.follow(topic, stop)) records.push(...batch)
      } catch {
        faults += 1
        await clock.sleep(50, stop)
      }
    }
  }
  const reading = follow()
  undo.push(
    () => stop.stop(),
    () => reading,
  )
  return { values: () => records.map(({ value }) => value), faults: () => faults }
}

const until = async (condition: () => boolean) => {
  while (!condition()) await clock.sleep(20)
}

/** As a claim does it: after anything but a sure outcome another holder looks into the log. */
class Committer {
  private readonly topic: string
  private readonly reader: ReturnType<typeof read>
  private holder: Transactor | undefined
  private nonces = 0
  faults = 0

  constructor(topic: string, reader: ReturnType<typeof read>) {
    this.topic = topic
    this.reader = reader
    undo.push(() => this.holder?.close())
  }

  async commit(value: string): Promise<void> {
    while (!(await this.tries(value))) {
      this.faults += 1
      if (await this.isThere(value)) return
    }
  }

  private async tries(value: string): Promise<boolean> {
    try {
      this.holder ??= await log.takeOver(this.topic)
      const record = { topic: this.topic, partition: 0, key: value, value }
      const { outcome } = await this.holder.send([record])
      if (outcome === 'sent' && (await this.holder.commit()) === 'committed') return true
    } catch (fault) {
      expect(fault).toMatchObject({ name: 'PortFault' })
    }
    await this.holder?.close()
    this.holder = undefined
    return false
  }

  private async isThere(value: string): Promise<boolean> {
    const nonce = `nonce-${++this.nonces}`
    while (!(await this.tries(nonce))) {
      if (this.reader.values().includes(nonce)) break
    }
    await until(() => this.reader.values().includes(nonce))
    return this.reader.values().includes(value)
  }
}

/** The broker fails while work goes on. */
const faults: readonly (readonly [string, () => Promise<void>])[] = [
  [
    'stands still for five seconds',
    async () => {
      broker.freeze()
      await clock.sleep(5_000)
      broker.thaw()
    },
  ],
  [
    'is killed and comes back',
    async () => {
      await broker.kill()
      await broker.start()
    },
  ],
]

describe('a process that stood still', () => {
  it('is fenced when it wakes up in the middle of its transaction, each time (E12)', async () => {
    const topic = await newTopic('zombies')
    const reader = read(topic)
    const asleep: ChildProcess[] = []
    for (let round = 0; round < 4; round++) {
      // Without the conditions that this test itself runs under: Node alone can't read the sources.
      const child = fork(zombie, [broker.bootstrap, topic, 'zombie', `${round}`], { execArgv: [] })
      undo.push(() => child.kill('SIGKILL'))
      expect((await once(child, 'message'))[0]).toEqual({ outcome: 'sent' })
      child.kill('SIGSTOP')
      asleep.push(child)
    }
    const holder = await log.takeOver('zombie')
    undo.push(() => holder.close())
    for (const child of asleep) {
      const told = once(child, 'message')
      child.send({ goOn: true })
      child.kill('SIGCONT')
      expect((await told)[0]).toEqual({ outcome: 'fenced' })
    }
    await holder.send([{ topic, partition: 0, key: 'end', value: 'end' }])
    expect(await holder.commit()).toBe('committed')
    await until(() => reader.values().includes('end'))
    expect(reader.values()).toEqual(['kept-0', 'kept-1', 'kept-2', 'kept-3', 'end'])
  })
})

describe.each(faults)('while the broker %s', (name, fail) => {
  const topicOf = (what: string) => newTopic(`${what}-${name.replaceAll(' ', '-')}`)

  it('every value is committed once and in order, and readers go on', async () => {
    const topic = await topicOf('committed')
    const reader = read(topic)
    const committer = new Committer(topic, reader)
    const values: string[] = []
    let isOver = false
    const failing = clock
      .sleep(300)
      .then(fail)
      .then(() => {
        isOver = true
      })
    for (let n = 0; !isOver || n < 200; n++) {
      await committer.commit(`${n}`)
      values.push(`${n}`)
      await clock.sleep(5)
    }
    await failing
    await until(() => reader.values().includes(values.at(-1) ?? ''))
    expect(reader.values().filter((value) => !value.startsWith('nonce'))).toEqual(values)
    expect(committer.faults).toBeGreaterThan(0)
  })

  it('nothing that was written is lost or there twice, unless the writer was told of a fault', async () => {
    const topic = await topicOf('written')
    const reader = read(topic)
    const writer = new KafkaRecordWriter({ connection: parseKafka(broker.bootstrap), clock, options })
    undo.push(() => writer.close())
    const written: string[] = []
    const doubtful = new Set<string>()
    let isOver = false
    const call = async (caller: number) => {
      for (let n = 0; !isOver; n++) {
        const value = `${caller}-${n}`
        try {
          await writer.write([{ topic, partition: 0, key: value, value }])
          written.push(value)
        } catch (fault) {
          expect(fault).toMatchObject({ name: 'PortFault' })
          doubtful.add(value)
          await clock.sleep(50)
        }
      }
    }
    const calls = Array.from({ length: 20 }, (_, caller) => call(caller))
    await clock.sleep(300)
    await fail()
    const before = written.length
    await until(() => written.length > before + 100)
    isOver = true
    await Promise.all(calls)
    await until(() => written.every((value) => reader.values().includes(value)))
    const sure = reader.values().filter((value) => !doubtful.has(value))
    expect(sure.toSorted()).toEqual(written.toSorted())
  })
})

import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import type { TransactionLogFixture, TransactionLogHooks } from '@almanac/adapters/transactions/contract'
import { freePorts, KafkaProxy, type KafkaServer, startKafka } from '@almanac/infra'
import type { TopicConfig } from '@almanac/simulator'
import type { ConformanceSubject, NodeInTransaction } from './subject.js'
import { patiently, WireBroker } from './wire-broker.js'
import { errorNamed } from './wire-errors.js'

/** A broker of these tests' own, since they kill it and need it impatient; the model has the same settings. */
const settings = {
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
  'offsets.retention.minutes': 1,
  'offsets.retention.check.interval.ms': 1000,
  'log.cleaner.backoff.ms': 200,
  'log.retention.check.interval.ms': 500,
  'log.initial.task.delay.ms': 500,
  'transactional.id.expiration.ms': 30_000,
  'transaction.remove.expired.transaction.cleanup.interval.ms': 1000,
}

/** Behind size, correlation id and throttle time. */
const endTxnErrorAt = 12

/** A real broker, and a proxy before one of its listeners. Subjects of all scenarios share it. */
export class RealBroker {
  readonly server: KafkaServer
  readonly proxy: KafkaProxy
  /** How it has answered each end of a transaction that came through the proxy, lost answers too. */
  readonly ends: readonly string[]
  private readonly folder: string
  private subjects = 0

  private constructor(folder: string, server: KafkaServer, proxy: KafkaProxy, ends: readonly string[]) {
    this.folder = folder
    this.server = server
    this.proxy = proxy
    this.ends = ends
  }

  static async start(): Promise<RealBroker> {
    const folder = await mkdtemp(join(tmpdir(), 'almanac-conformance-'))
    const [port = 0] = await freePorts(1)
    const server = await startKafka({ folder, settings, listeners: [{ advertisedPort: port }] })
    const [target] = server.listeners
    if (target === undefined) throw new Error('The broker has no listener for the proxy')
    const ends: string[] = []
    const proxy = await KafkaProxy.start({
      target,
      port,
      onAnswer: ({ api }, frame) => {
        if (api === 'EndTxn') ends.push(errorNamed(frame.readInt16BE(endTxnErrorAt)))
      },
    })
    const broker = new WireBroker(server.port)
    await broker.warmUp()
    broker.close()
    return new RealBroker(folder, server, proxy, ends)
  }

  /** Where clients go: through the proxy. */
  get bootstrap(): string {
    return `127.0.0.1:${this.proxy.port}`
  }

  /** Faults of the network, at the end of the next transaction, whoever has it. */
  get hooks(): TransactionLogHooks {
    const { faults } = this.proxy
    const commit = { api: 'EndTxn' } as const
    return {
      loseNextCommitAnswer: () => faults.loseAnswer(commit),
      loseNextCommitRequest: () => faults.loseRequest(commit),
      holdNextCommit: () => {
        const held = faults.holdRequest(commit)
        return () => held.end()
      },
    }
  }

  /** The adapter, with the proxy between it and the broker. */
  fixture(prefix: string, broker: WireBroker): TransactionLogFixture {
    const client = () =>
      new KafkaTransactionLog({
        connection: parseKafka(this.bootstrap),
        clock: systemClock(),
        options: { requestTimeoutMs: 1500 },
      })
    return {
      log: client(),
      otherLog: client,
      pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      prefix,
      createTopic: (name, partitions) => broker.createTopic(name, { ...keptForAWeek, partitions }),
      hooks: this.hooks,
      close: async () => this.proxy.heal(),
    }
  }

  subject(): RealSubject {
    this.subjects += 1
    return new RealSubject(this, `c${this.subjects}.`)
  }

  async stop(): Promise<void> {
    await this.proxy.stop()
    await this.server.stop()
    await rm(this.folder, { recursive: true, force: true })
  }
}

const keptForAWeek: Omit<TopicConfig, 'partitions'> = {
  cleanup: { policy: 'delete', retentionMs: 7 * 86_400_000 },
  timestamps: 'LogAppendTime',
}

const loneTransaction = fileURLToPath(new URL('lone-transaction.mjs', import.meta.url))
/** How long it waits before it commits: there has to be time to stop it. */
const holdMs = 1000

interface Told {
  readonly sent?: boolean
  readonly outcome?: string
}

export class RealSubject implements ConformanceSubject {
  readonly prefix: string
  readonly broker: WireBroker
  readonly clients: TransactionLogFixture
  private readonly real: RealBroker

  constructor(real: RealBroker, prefix: string) {
    this.real = real
    this.prefix = prefix
    this.broker = new WireBroker(real.server.port)
    this.clients = real.fixture(prefix, this.broker)
  }

  createTopic(name: string, config: TopicConfig): Promise<void> {
    return this.broker.createTopic(name, config)
  }

  transactAlone(transactionalId: string, topic: string, value: string): NodeInTransaction {
    const child = fork(loneTransaction, [this.real.bootstrap, transactionalId, topic, value, `${holdMs}`], {
      // Without the conditions of the test runner: it runs what has been built.
      execArgv: [],
    })
    const told = new Promise<void>((resolve, reject) => {
      child.on('message', (message: Told) => message.sent === true && resolve())
      child.on('exit', (code) => reject(new Error(`The process has ended with ${code}`)))
    })
    const outcome = new Promise<string>((resolve, reject) => {
      child.on('message', (message: Told) => message.outcome !== undefined && resolve(message.outcome))
      child.on('exit', (code) => reject(new Error(`The process has ended with ${code}`)))
    })
    outcome.catch(() => {})
    return {
      sent: told,
      outcome,
      freeze: () => child.kill('SIGSTOP'),
      thaw: () => child.kill('SIGCONT'),
    }
  }

  joinGroup(group: string, topic: string): Promise<void> {
    return this.broker.joinGroup(group, topic)
  }

  async kill(): Promise<void> {
    await this.real.server.kill()
  }

  async restart(): Promise<void> {
    await this.real.server.start()
    await this.broker.warmUp()
  }

  /** The cleaner takes all segments but the one that is written to, as soon as it comes by. */
  async compact(topic: string, written: number): Promise<void> {
    await patiently('compaction', async () => (await this.count(topic)) < written)
  }

  /** A fetch ends with its segment at the latest. */
  private async count(topic: string): Promise<number> {
    let count = 0
    for (let offset = 0; ; ) {
      const answer = await this.broker.fetch({ topic, partition: 0 }, offset, 'read_committed')
      if (!answer.ok) throw new Error(`${topic} can't be read: ${answer.error}`)
      count += answer.value.records.length
      if (answer.value.nextOffset === offset) return count
      offset = answer.value.nextOffset
    }
  }

  elapsed(): number {
    return performance.now()
  }

  report(line: string): void {
    process.stdout.write(`  ${line}\n`)
  }

  async close(): Promise<void> {
    await this.clients.close()
    this.broker.close()
  }
}

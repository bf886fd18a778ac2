import { type Clock, PortFault, unavailable } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { Admin } from 'kafkajs'
import { dispatchTopics } from '../transactions/index.js'
import { failed, messageOf } from './calls.js'
import { code, lastingCodes } from './codes.js'
import type { KafkaConnection } from './connection.js'
import { type ClientOptions, codesIn, type OnLog, publicClient } from './kafkajs.js'
import { checkedSettings, type KafkaTopicsOptions, type PlannedTopic, TopicPlan } from './topic-plan.js'
import { TopicRefused } from './topic-refused.js'

export interface KafkaTopicsParts {
  readonly connection: KafkaConnection
  readonly clock: Clock
  readonly options: KafkaTopicsOptions
  /** What the client library has to say. */
  readonly onLog?: OnLog
}

/** A topic is there, but is not as it has to be. Nothing is changed by itself: data may depend on it. */
export class TopicMismatch extends Error {
  readonly problems: readonly string[]
  /** False when it may come right by itself, as brokers that are down do. */
  readonly isLasting: boolean

  constructor(problems: readonly string[], isLasting = true) {
    super(`Kafka's topics are not as they have to be: ${problems.join('; ')}`)
    this.name = 'TopicMismatch'
    this.problems = problems
    this.isLasting = isLasting
  }
}

const isLasting = (error: unknown): boolean =>
  error instanceof TopicMismatch
    ? error.isLasting
    : error instanceof PortFault && codesIn(error.cause).some((one) => lastingCodes.has(one))

const client: ClientOptions = { requestTimeoutMs: 5_000, connectTimeoutMs: 2_000 }
/** How long a topic that was created may take to be known. */
const knownWithinMs = 20_000
const lookEveryMs = 50
/** `ConfigResourceTypes.TOPIC` */
const topicResource = 2

/** The topics of one cluster. Any number of nodes may make them at the same time. */
export class KafkaTopics {
  private readonly parts: KafkaTopicsParts
  private readonly plan: TopicPlan

  constructor(parts: KafkaTopicsParts) {
    this.parts = parts
    this.plan = new TopicPlan(parts.options)
  }

  /**
   * Makes what is missing, of the queues named too, and looks at what is there. Throws `TopicMismatch` when a topic is
   * not as it has to be, a `PortFault` when the brokers can't be asked.
   */
  async provision(queues: readonly string[] = []): Promise<void> {
    const { runs } = dispatchTopics(this.parts.options.prefix)
    const runTopics = queues.map((queue) => this.plan.runs(runs({ queue, exchange: null })))
    await this.make([...this.plan.basics(), ...runTopics])
  }

  /**
   * Makes the topic of a queue or an exchange, if it is not there. Faults are `unavailable`; `TopicRefused` when trying
   * again is of no use.
   */
  async createRunTopic(topic: string): Promise<void> {
    if (!dispatchTopics(this.parts.options.prefix).isRuns(topic)) {
      throw unavailable(`The topic ${topic} does not exist, and is none of a queue or an exchange`)
    }
    try {
      await this.make([this.plan.runs(topic)])
    } catch (error) {
      // Who asks has runs to write: this is no reason to end the process.
      if (isLasting(error)) throw new TopicRefused(messageOf(error), error)
      throw error instanceof TopicMismatch ? unavailable(error.message, error) : error
    }
  }

  /** The topics of queues and exchanges that are there. */
  async runTopics(): Promise<readonly string[]> {
    const { isRuns } = dispatchTopics(this.parts.options.prefix)
    const topics = await this.withAdmin('which topics there are', (admin) => admin.listTopics())
    return topics.filter(isRuns).sort()
  }

  /** By partition the offset of the first record that was appended at that time or later, else of the next one. */
  async offsetsAt(topic: string, at: Instant): Promise<ReadonlyMap<number, number>> {
    const offsets = await this.withAdmin(`for offsets of ${topic}`, (admin) =>
      admin.fetchTopicOffsetsByTimestamp(topic, at),
    )
    return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]))
  }

  private async make(planned: readonly PlannedTopic[]): Promise<void> {
    await this.withAdmin('to make topics', async (admin) => {
      const there = new Set(await admin.listTopics())
      for (const topic of planned) if (!there.has(topic.topic)) await create(admin, topic)
      await this.untilKnown(admin, planned)
      await check(admin, planned)
    })
  }

  /** Until all brokers' answers agree that they are there, with a leader for each partition. */
  private async untilKnown(admin: Admin, planned: readonly PlannedTopic[]): Promise<void> {
    const { clock } = this.parts
    const until = clock.elapsed() + knownWithinMs
    for (;;) {
      const why = await unknownOf(admin, planned)
      if (why === undefined) return
      if (clock.elapsed() > until)
        throw unavailable(`Kafka does not know a new topic yet: ${messageOf(why)}`, why)
      await clock.sleep(lookEveryMs)
    }
  }

  private async withAdmin<T>(what: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    const { connection, onLog = () => {} } = this.parts
    const admin = publicClient(connection, client, onLog).admin()
    try {
      await admin.connect()
      return await work(admin)
    } catch (error) {
      throw error instanceof TopicMismatch ? error : failed(what, error)
    } finally {
      await admin.disconnect().catch(() => {})
    }
  }
}

async function create(
  admin: Admin,
  { topic, partitions, replication, settings }: PlannedTopic,
): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  try {
    await admin.createTopics({
      topics: [{ topic, numPartitions: partitions, replicationFactor: replication, configEntries }],
      waitForLeaders: false,
    })
  } catch (error) {
    const refusals = codesIn(error)
    if (refusals.includes(code.topicAlreadyExists)) return
    if (!refusals.includes(code.invalidReplicationFactor)) throw error
    const copies = `${replication} copies of each partition (replication)`
    throw new TopicMismatch([`${topic} shall have ${copies}, and there are fewer brokers at present`], false)
  }
}

async function unknownOf(admin: Admin, planned: readonly PlannedTopic[]): Promise<unknown> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: planned.map(({ topic }) => topic) })
    const leaderless = topics.find(({ partitions }) => partitions.some(({ leader }) => leader < 0))
    return leaderless && new Error(`${leaderless.name} has a partition without a leader`)
  } catch (error) {
    return error
  }
}

async function check(admin: Admin, planned: readonly PlannedTopic[]): Promise<void> {
  const problems: string[] = []
  const { topics } = await admin.fetchTopicMetadata({ topics: planned.map(({ topic }) => topic) })
  const counts = new Map(topics.map(({ name, partitions }) => [name, partitions.length]))
  for (const { topic, partitions, mayHaveMore } of planned) {
    const found = counts.get(topic) ?? 0
    if (found === partitions || (mayHaveMore && found > partitions)) continue
    const wanted = mayHaveMore ? `at least ${partitions}` : `${partitions}`
    problems.push(`${topic}: partitions: wanted ${wanted}, found ${found}`)
  }
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: planned.map(({ topic }) => ({
      type: topicResource,
      name: topic,
      configNames: [...checkedSettings],
    })),
  })
  const settings = new Map(resources.map(({ resourceName, configEntries }) => [resourceName, configEntries]))
  for (const { topic, settings: wanted } of planned) {
    const found = new Map(
      settings.get(topic)?.map(({ configName, configValue }) => [configName, configValue]),
    )
    for (const name of checkedSettings) {
      if (wanted[name] === undefined || found.get(name) === wanted[name]) continue
      problems.push(`${topic}: ${name}: wanted ${wanted[name]}, found ${found.get(name) ?? 'nothing'}`)
    }
  }
  if (problems.length > 0) throw new TopicMismatch(problems)
}

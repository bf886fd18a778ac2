import { type Clock, outcomeUnknown, PortFault, type Stop, unavailable } from '@almanac/engine'
import { AccessRefused } from '../system/index.js'
import { code } from './codes.js'
import { accessProblemOf, codeOf, type WireBroker, type WireClient } from './kafkajs.js'
import type { Call, Place } from './requests.js'

/** How brokers are asked again. Every duration is in milliseconds. */
export interface CallOptions {
  /** Longest time for one call of the port, with all tries. */
  readonly deadlineMs: number
  readonly initialRetryMs: number
  readonly maxRetryMs: number
}

const retryFactor = 1.5
const transactionCoordinator = 1

/** What came of one try. */
export type Try<T> =
  | { readonly done: T }
  /** `why` is what the caller is told when the time is over. */
  | { readonly again: unknown }

/** Asks the brokers of one client. */
export class Calls {
  readonly clock: Clock
  private readonly client: WireClient
  private readonly options: CallOptions
  private coordinator: WireBroker | undefined
  private isConnected = false

  constructor(client: WireClient, clock: Clock, options: CallOptions) {
    this.client = client
    this.clock = clock
    this.options = options
  }

  /** Tries until it is done, or until the deadline: then it throws what `late` makes of the last reason. */
  async retrying<T>(
    attempt: () => Promise<Try<T>>,
    late: (why: unknown) => PortFault,
    stop?: Stop,
  ): Promise<T> {
    const { clock, options } = this
    const until = clock.elapsed() + options.deadlineMs
    for (let waitMs = options.initialRetryMs; ; waitMs = Math.min(waitMs * retryFactor, options.maxRetryMs)) {
      const tried = await attempt()
      if ('done' in tried) return tried.done
      if (clock.elapsed() + waitMs > until || stop?.stopped === true) throw late(tried.again)
      await clock.sleep(waitMs, stop)
    }
  }

  async connect(): Promise<void> {
    if (this.isConnected && this.client.cluster.isConnected()) return
    await this.client.cluster.connect()
    await this.client.cluster.refreshMetadataIfNecessary()
    this.isConnected = true
  }

  /** Remembered until `forgetCoordinator`: kafkajs would look for it again and again. */
  async coordinatorOf(transactionalId: string): Promise<WireBroker> {
    if (this.coordinator === undefined) {
      await this.connect()
      this.coordinator = await this.client.cluster.findGroupCoordinator({
        groupId: transactionalId,
        coordinatorType: transactionCoordinator,
      })
    }
    return this.coordinator
  }

  forgetCoordinator(): void {
    this.coordinator = undefined
  }

  async anyBroker(): Promise<WireBroker> {
    await this.connect()
    return await this.client.cluster.findControllerBroker()
  }

  node(nodeId: number): Promise<WireBroker> {
    return this.client.cluster.findBroker({ nodeId })
  }

  async ask<T>(nodeId: number, call: Call<T>): Promise<T> {
    const { connectionPool } = await this.node(nodeId)
    return (await connectionPool.send(call)).answer
  }

  /** Makes sure that partitions and leaders of the topics are known. Throws when one of them does not exist. */
  async learn(topics: readonly string[]): Promise<void> {
    await this.connect()
    await this.client.cluster.addMultipleTargetTopics(topics)
    await this.client.cluster.refreshMetadataIfNecessary()
  }

  /** Asks anew who leads what. */
  async refresh(): Promise<void> {
    await this.connect()
    await this.client.cluster.refreshMetadata()
  }

  /** How many the topic has; 0: it is not known. */
  partitionsOf(topic: string): number {
    return this.client.cluster.findTopicPartitionMetadata(topic).length
  }

  /** The node that leads the partition; undefined: nobody does at present. */
  leaderOf({ topic, partition }: Place): number | undefined {
    const leader = this.client.cluster
      .findTopicPartitionMetadata(topic)
      .find(({ partitionId }) => partitionId === partition)?.leader
    return leader === undefined || leader < 0 ? undefined : leader
  }

  close(): void {
    this.client.close()
  }
}

export const isUnknownTopic = (error: unknown): boolean => codeOf(error) === code.unknownTopicOrPartition

export const refused = (what: string, error: unknown): PortFault =>
  accessFault(error) ?? unavailable(`Kafka refused ${what}: ${messageOf(error)}`, error)

export const doubtful = (what: string, why: unknown): PortFault =>
  outcomeUnknown(`Kafka has not answered ${what}: ${messageOf(why)}`, why)

export const failed = (what: string, why: unknown): PortFault =>
  why instanceof PortFault
    ? why
    : (accessFault(why) ?? unavailable(`Kafka could not be asked ${what}: ${messageOf(why)}`, why))

/** What kafkajs throws may have what it is about behind it. */
const mostCauses = 8

/** When the brokers are there, and there is no way in: nothing was asked of them then. */
function accessFault(error: unknown): AccessRefused | undefined {
  let one = error
  for (let depth = 0; one instanceof Error && depth < mostCauses; depth++, one = one.cause) {
    const problem = accessProblemOf(one)
    if (problem === undefined) continue
    const text = problem === 'credentials' ? 'refuses this user' : 'is not spoken to'
    return new AccessRefused(problem, `Kafka ${text}: ${one.message}`, error)
  }
  return undefined
}

export const messageOf = (why: unknown): string => (why instanceof Error ? why.message : String(why))

import type { Instant } from '@almanac/recurrence'
import type { World } from '../world/types.js'
import { PartitionLog } from './partition-log.js'
import {
  type Answer,
  type Fetched,
  type FetchRequest,
  type KafkaError,
  type Producer,
  refuse,
  succeed,
  type TopicConfig,
} from './protocol.js'

/** A fetch that waits for something to come. */
interface Waiter {
  readonly request: FetchRequest
  /** True time at which it is answered with nothing. */
  readonly until: Instant
  readonly resolve: (answer: Answer<readonly Fetched[]>) => void
}

/** A topic's partitions, and the fetches that wait at them. */
export class Topic {
  readonly name: string
  readonly incarnation: number
  readonly partitions: readonly PartitionLog[]
  private readonly waiters = new Set<Waiter>()
  /** When those who have waited long enough are answered next. */
  private watchedUntil: Instant = Number.POSITIVE_INFINITY

  constructor(name: string, config: TopicConfig, incarnation: number) {
    this.name = name
    this.incarnation = incarnation
    this.partitions = Array.from({ length: config.partitions }, (_, n) => new PartitionLog(n, config))
  }

  fetch(
    request: FetchRequest,
    world: World,
  ): Answer<readonly Fetched[]> | Promise<Answer<readonly Fetched[]>> {
    const found = this.find(request)
    if (!found.ok || found.value.length > 0 || request.maxWaitMs <= 0) return found
    return new Promise((resolve) => {
      const until = world.now + request.maxWaitMs
      this.waiters.add({ request, until, resolve })
      this.watch(world, until)
    })
  }

  private find({ offsets, isolation, maxRecords }: FetchRequest): Answer<readonly Fetched[]> {
    const found: Fetched[] = []
    for (const [partition, offset] of offsets.entries()) {
      if (offset === null) continue
      const log = this.partitions[partition]
      if (log === undefined) return refuse('UNKNOWN_TOPIC_OR_PARTITION')
      if (!log.hasNews(offset, isolation)) continue
      const fetched = log.fetch(offset, maxRecords, isolation)
      if (!fetched.ok) return fetched
      found.push(fetched.value)
    }
    return succeed(found)
  }

  /** One timer for all: most are answered before their time, and a timer each would be many for nothing. */
  private watch(world: World, until: Instant): void {
    if (until >= this.watchedUntil) return
    this.watchedUntil = until
    world.after(until - world.now, () => {
      if (this.watchedUntil !== until) return
      this.watchedUntil = Number.POSITIVE_INFINITY
      let next = Number.POSITIVE_INFINITY
      for (const waiter of this.waiters) {
        if (waiter.until <= world.now) this.answer(waiter, succeed([]))
        else next = Math.min(next, waiter.until)
      }
      this.watch(world, next)
    })
  }

  /** Answers whoever waits for what has come in a partition. */
  wake(partition: number): void {
    const log = this.partitions[partition]
    if (log === undefined) return
    for (const waiter of this.waiters) {
      const offset = waiter.request.offsets[partition] ?? null
      if (offset !== null && log.hasNews(offset, waiter.request.isolation)) {
        this.answer(waiter, this.find(waiter.request))
      }
    }
  }

  private answer(waiter: Waiter, answer: Answer<readonly Fetched[]>): void {
    this.waiters.delete(waiter)
    waiter.resolve(answer)
  }

  refuseAll(error: KafkaError): void {
    for (const waiter of this.waiters) this.answer(waiter, refuse(error))
  }

  mark(partition: number, producer: Producer, commit: boolean, now: Instant): void {
    this.partitions[partition]?.mark(producer, commit, now)
    this.wake(partition)
  }

  empty(): void {
    this.afterAll((log) => log.empty())
  }

  retain(now: Instant): void {
    this.afterAll((log) => log.retain(now))
  }

  private afterAll(change: (log: PartitionLog) => void): void {
    for (const log of this.partitions) {
      change(log)
      this.wake(log.partition)
    }
  }
}

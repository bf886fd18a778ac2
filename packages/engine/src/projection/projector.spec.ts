import { blankSpec, type Position, taskStream } from '@almanac/domain'
import { beforeEach, describe, expect, it } from 'vitest'
import { memoryEventLog } from '../memory/event-log.js'
import { ManualClock } from '../memory/manual-clock.js'
import { memoryViewStore } from '../memory/view-store.js'
import type { Stop } from '../ports/clock.js'
import type { EventLog, EventPage } from '../ports/event-log.js'
import { storageFull, unavailable } from '../ports/faults.js'
import { noTelemetry } from '../ports/telemetry.js'
import type { ViewStore } from '../ports/view-store.js'
import { createStop } from '../stop.js'
import { Projector } from './projector.js'

const start = Date.parse('2026-03-01T12:00:00Z')
const retryMs = 1_000
const taskId = '1AFMD033VHBVD5PK48WTGRJXZ9'

/** A projector over a log and views that fail when the test says so. */
class Bench {
  readonly clock = new ManualClock(start)
  readonly source = memoryEventLog()
  readonly views = memoryViewStore()
  readonly stop = createStop()
  /** Positions of the events that the listener was told of. */
  readonly told: Position[] = []
  readonly faults: string[] = []
  /** Thrown by the log's next answers, or by the views' next pages. */
  readonly ofLog: Error[] = []
  readonly ofViews: Error[] = []
  /** A page that a subscription shows before what it has. */
  first: EventPage | undefined
  subscriptions = 0
  private count = 0
  readonly projector: Projector

  constructor() {
    this.projector = new Projector({
      telemetry: noTelemetry,
      log: this.log(),
      views: this.failingViews(),
      clock: this.clock,
      onChanges: (changes) => this.told.push(...changes.map(({ event }) => event.position)),
      onFault: (_, fault) => this.faults.push(fault instanceof Error ? fault.message : 'none'),
      retryMs,
    })
  }

  /** Events of one task: its creation, then changes of its description. */
  async append(count: number): Promise<void> {
    for (let nth = 0; nth < count; nth += 1, this.count += 1) {
      const spec = { ...blankSpec, name: 'task', task: 'app.task', description: '0' }
      const isFirst = this.count === 0
      const stored = {
        id: `event ${this.count}`,
        type: isFirst ? 'TaskCreated' : 'TaskChanged',
        version: 1,
        data: isFirst ? { taskId, spec } : { changes: { description: `${this.count}` }, rearmed: false },
        metadata: { namespace: 'default', actor: 'a', at: start, correlationId: 'c', previousHash: '' },
      }
      await this.source.append(taskStream(taskId), isFirst ? 'none' : this.count - 1, [stored])
    }
  }

  get description(): string | undefined {
    return this.views.task(taskId)?.spec.description
  }

  private log(): EventLog {
    const { source } = this
    const fail = () => {
      const fault = this.ofLog.shift()
      if (fault !== undefined) throw fault
    }
    const follow = (after: Position, stop: Stop) => this.follow(after, stop, fail)
    return {
      append: source.append.bind(source),
      readStream: source.readStream.bind(source),
      head: async () => {
        fail()
        return source.head()
      },
      readAll: async (...args) => {
        fail()
        return source.readAll(...args)
      },
      follow,
    }
  }

  private async *follow(after: Position, stop: Stop, fail: () => void): AsyncIterable<EventPage> {
    this.subscriptions += 1
    fail()
    const { first } = this
    if (first !== undefined) yield first
    for await (const page of this.source.follow(after, stop)) {
      yield page
      fail()
    }
  }

  private failingViews(): ViewStore {
    const { views, ofViews } = this
    return new Proxy(views, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          const fault = name === 'apply' ? ofViews.shift() : undefined
          if (fault !== undefined) throw fault
          return member.apply(target, args)
        }
      },
    })
  }
}

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

describe('a fault while following', () => {
  it('of the log: goes on from where the views are', async () => {
    await bench.append(3)
    void bench.projector.run(bench.stop)
    await bench.clock.advance(0)
    bench.ofLog.push(unavailable('cut off'), unavailable('still'))
    await bench.append(3)
    await bench.clock.advance(0)
    expect([bench.faults, bench.subscriptions]).toEqual([['cut off'], 1])
    await bench.clock.advance(2 * retryMs)
    expect(bench.faults).toEqual(['cut off', 'still'])
    await bench.append(1)
    await bench.clock.advance(0)
    expect([bench.told, bench.description]).toEqual([upTo(7), '6'])
  })

  it('of a full disk: the page is applied when there is space, and told once', async () => {
    bench.ofViews.push(storageFull('full'), storageFull('full'))
    await bench.append(3)
    void bench.projector.run(bench.stop)
    await bench.clock.advance(0)
    await bench.append(2)
    await bench.clock.advance(retryMs - 1)
    expect([bench.told, bench.views.position(), bench.faults]).toEqual([[], 0, ['full']])
    await bench.clock.advance(2 * retryMs)
    expect([bench.told, bench.description]).toEqual([upTo(5), '4'])
  })

  it('before the first page: catching up goes on as well', async () => {
    await bench.append(3)
    bench.ofLog.push(unavailable('cut off'))
    bench.ofViews.push(storageFull('full'))
    let isDone = false
    void bench.projector
      .catchUp(() => {}, bench.stop)
      .then(() => {
        isDone = true
      })
    await bench.clock.advance(0)
    expect(isDone).toBe(false)
    await bench.clock.advance(2 * retryMs)
    expect([isDone, bench.told, bench.faults]).toEqual([true, upTo(3), ['cut off', 'full']])
  })

  it('tells how long the log has been out of reach, until it has answered again', async () => {
    void bench.projector.run(bench.stop)
    await bench.clock.advance(10_000)
    expect(bench.projector.cutOffMs()).toBe(0)
    bench.ofLog.push(unavailable('cut off'), unavailable('still'), unavailable('and still'))
    await bench.append(1)
    await bench.clock.advance(2 * retryMs)
    expect(bench.projector.cutOffMs()).toBe(2 * retryMs)
    await bench.clock.advance(retryMs)
    expect(bench.projector.cutOffMs()).toBe(0)
  })

  it('that is none of a port ends it', async () => {
    await bench.append(1)
    bench.ofViews.push(new Error('broken'))
    await expect(bench.projector.run(bench.stop)).rejects.toThrow('broken')
  })

  it('does not keep it from ending', async () => {
    bench.ofLog.push(...Array.from({ length: 100 }, () => unavailable('cut off')))
    const running = bench.projector.run(bench.stop)
    await bench.clock.advance(3 * retryMs)
    bench.stop.stop()
    await running
    expect(bench.faults).toHaveLength(4)
  })
})

describe('a subscription that shows again what has been applied', () => {
  it('page by page: nothing is applied or told twice', async () => {
    await bench.append(5)
    bench.first = await bench.source.readAll(0, 5)
    void bench.projector.run(bench.stop)
    await bench.clock.advance(0)
    expect(bench.told).toEqual(upTo(5))
  })

  it('within a page: its new events alone are applied and told', async () => {
    await bench.append(4)
    await bench.projector.catchUp(() => {}, bench.stop)
    await bench.append(2)
    bench.first = await bench.source.readAll(1, 5)
    void bench.projector.run(bench.stop)
    await bench.clock.advance(0)
    expect([bench.told, bench.description]).toEqual([upTo(6), '5'])
    expect(bench.views.taskAsOf(taskId, 3)?.spec.description).toBe('2')
  })
})

it('who waits for a position is told when it is applied, also after a fault', async () => {
  void bench.projector.run(bench.stop)
  await bench.clock.advance(0)
  bench.ofViews.push(storageFull('full'))
  await bench.append(1)
  const answers: boolean[] = []
  void bench.projector.waitFor(1, retryMs / 2).then((answer) => answers.push(answer))
  void bench.projector.waitFor(1, retryMs * 2).then((answer) => answers.push(answer))
  await bench.clock.advance(retryMs)
  expect(answers).toEqual([false, true])
})

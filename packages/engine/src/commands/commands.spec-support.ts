import {
  type CommandContext,
  eventHash,
  evolveSchedule,
  evolveTask,
  type RecordedEvent,
  type Refusal,
  type StoredEvent,
  type TaskState,
} from '@almanac/domain'
import type { Result } from '@almanac/recurrence'
import { expect } from 'vitest'
import { memoryEventLog } from '../memory/event-log.js'
import { SeededRandom } from '../memory/seeded-random.js'
import type { Clock } from '../ports/clock.js'
import type { AppendResult, EventLog, ExpectedRevision } from '../ports/event-log.js'
import { outcomeUnknown, unavailable } from '../ports/faults.js'
import type { ViewStore } from '../ports/view-store.js'
import { createCommands } from './commands.js'
import type { CommandOptions } from './parts.js'

export const noon = Date.parse('2026-03-01T12:00:00Z')
export const everyMinute = { interval: { every: 1, period: 'minutes' } } as const
export const input = { name: 'backup', task: 'ops.backup', schedule: everyMinute } as const

/**
 * What becomes of an append. `lost`: it is not made, and its outcome is unknown; `landed`: it is made, and
 * its outcome is unknown; `dies`: the node hangs before it, for good; `diesAfter`: after it.
 */
export type Fate = 'appended' | 'lost' | 'landed' | 'unavailable' | 'dies' | 'diesAfter'

/** A log in memory whose appends have the fates that a test gives them, and which takes its time. */
export class FatefulLog implements EventLog {
  readonly log = memoryEventLog()
  fate: (stream: string, events: readonly StoredEvent[]) => Fate | Promise<Fate> = () => 'appended'
  /** Lets others run before each answer. */
  delay: () => Promise<void> = async () => {}
  /** All that was appended, in order. */
  readonly appended: RecordedEvent[] = []
  appends = 0
  streamReads = 0

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly StoredEvent[],
  ): Promise<AppendResult> {
    this.appends += 1
    await this.delay()
    const fate = await this.fate(stream, events)
    if (fate === 'unavailable') throw unavailable('by fate')
    if (fate === 'lost') throw outcomeUnknown('by fate')
    if (fate === 'dies') return new Promise(() => {})
    const result = await this.log.append(stream, expected, events)
    this.note(stream, events, result)
    if (fate === 'landed') throw outcomeUnknown('by fate')
    if (fate === 'diesAfter') return new Promise(() => {})
    await this.delay()
    return result
  }

  async readStream(stream: string, from?: number): Promise<readonly RecordedEvent[]> {
    this.streamReads += 1
    await this.delay()
    return this.log.readStream(stream, from)
  }

  readAll: EventLog['readAll'] = (...request) => this.log.readAll(...request)
  head: EventLog['head'] = () => this.log.head()
  follow: EventLog['follow'] = (...request) => this.log.follow(...request)

  private note(stream: string, events: readonly StoredEvent[], result: AppendResult): void {
    if (result.outcome === 'conflict' || result.position <= this.appended.length) return
    const before = events.length - 1
    for (const [index, event] of events.entries()) {
      const revision = result.revision - before + index
      const position = result.position - before + index
      this.appended.push({ ...event, stream, revision, position, hash: eventHash(event) })
    }
  }

  async typesIn(stream: string): Promise<readonly string[]> {
    return (await this.log.readStream(stream)).map((event) => event.type)
  }
}

/** Sleeping takes no time of ours, but the clock moves. */
export class SelfWindingClock implements Clock {
  wall = noon
  now = (): number => this.wall
  elapsed = (): number => this.wall - noon
  async sleep(ms: number): Promise<void> {
    this.wall += ms
    await undefined
  }
}

export class World {
  readonly log = new FatefulLog()
  readonly clock = new SelfWindingClock()
  private seed = 1

  /** Another process on the same log. */
  node(options: Partial<CommandOptions> = {}): ReturnType<typeof createCommands> {
    this.seed += 1
    const { log, clock } = this
    const random = new SeededRandom(this.seed)
    return createCommands({ log, clock, random, views: viewsOf(log), cluster: 'test', options })
  }

  context(more: Partial<CommandContext> = {}): CommandContext {
    return { namespace: 'default', actor: 'alice', at: this.clock.now(), correlationId: 'c', ...more }
  }
}

/** The few reads that commands make of the read models, answered from the log as it is. */
function viewsOf(log: FatefulLog): ViewStore {
  const tasks = () => [...fold(log.appended, 'task-', evolveTask).values()]
  const active = (namespace: string) =>
    tasks().filter((task) => task.namespace === namespace && task.status === 'active')
  const listed = <T>(items: readonly T[]) => ({ items, nextCursor: null, total: items.length })
  const views: Pick<ViewStore, 'tasksUsing' | 'listTasks' | 'listSchedules'> = {
    tasksUsing: (namespace, name) =>
      active(namespace)
        .filter(({ spec }) => 'ref' in spec.schedule && spec.schedule.ref === name)
        .map(({ taskId }) => taskId),
    listTasks: (namespace, { scheduleKind }) =>
      listed(
        active(namespace).filter(({ spec }) => scheduleKind !== undefined && scheduleKind in spec.schedule),
      ),
    listSchedules: (namespace) =>
      listed(
        [...fold(log.appended, 'schedule-', evolveSchedule).values()].filter(
          (schedule) => schedule.namespace === namespace && schedule.status === 'active',
        ),
      ),
  }
  return views as ViewStore
}

function fold<S>(
  events: readonly RecordedEvent[],
  prefix: string,
  evolve: (state: S | undefined, event: RecordedEvent) => S | undefined,
): ReadonlyMap<string, S> {
  const states = new Map<string, S>()
  for (const event of events.filter(({ stream }) => stream.startsWith(prefix))) {
    const state = evolve(states.get(event.stream), event)
    if (state !== undefined) states.set(event.stream, state)
  }
  return states
}

/** At no position of the log do two active tasks of a namespace have one name. */
export function expectUniqueNames(log: FatefulLog): void {
  const tasks = new Map<string, TaskState>()
  const owners = new Map<string, string>()
  for (const event of log.appended.filter(({ stream }) => stream.startsWith('task-'))) {
    const before = tasks.get(event.stream)
    const after = evolveTask(before, event)
    if (after === undefined) continue
    tasks.set(event.stream, after)
    if (before?.status === 'active') owners.delete(`${before.namespace}|${before.spec.name}`)
    if (after.status !== 'active') continue
    const key = `${after.namespace}|${after.spec.name}`
    expect(owners.get(key), `owner of ${key} at ${event.position}`).toBeUndefined()
    owners.set(key, after.taskId)
  }
}

/** Every event holds the hash of the one before it, and no stream goes back in time. */
export function expectChained(log: FatefulLog): void {
  const last = new Map<string, RecordedEvent>()
  for (const event of log.appended) {
    const before = last.get(event.stream)
    expect(event.metadata.previousHash).toBe(before === undefined ? '' : eventHash(before))
    expect(event.metadata.at).toBeGreaterThanOrEqual(before?.metadata.at ?? 0)
    last.set(event.stream, event)
  }
}

/** What an accepted command left behind. */
export function accepted<T>(result: Result<T, Refusal>): T {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`)
  return result.value
}

export const codeOf = (result: Result<unknown, Refusal>): string =>
  result.ok ? 'accepted' : result.error.code

import {
  type CalendarState,
  type CommandContext,
  type Digest,
  digestOf,
  evolveCalendar,
  evolveKeys,
  evolveName,
  evolveSchedule,
  evolveTask,
  evolveWebhooks,
  type KeyRing,
  type NameState,
  type Position,
  type ScheduleState,
  type TaskState,
  type WebhookBook,
} from '@almanac/domain'
import type { Clock, Random } from '../ports/clock.js'
import type { EventLog } from '../ports/event-log.js'
import type { ViewStore } from '../ports/view-store.js'
import { References } from './references.js'
import { Streams } from './streams.js'
import { Turns } from './turns.js'

export interface CommandDeps {
  readonly log: EventLog
  readonly clock: Clock
  readonly random: Random
  readonly views: ViewStore
  /** Names the cluster: part of every run id. */
  readonly cluster: string
  /** A faster way than pure code to compute the same. Default: `digestOf`. */
  readonly digest?: Digest
  /** Resolves true when the views have everything up to `position`; without it they are taken as they are. */
  readonly waitFor?: (position: Position, timeoutMs: number) => Promise<boolean>
  readonly options?: Partial<CommandOptions>
}

export interface CommandOptions {
  /** How many folded task streams are kept in memory; as many names. */
  readonly cachedTasks: number
  /** How many folded streams of shared schedules are kept in memory; as many calendars. */
  readonly cachedShared: number
  /**
   * How old the reservation of a name must be before its writer is taken for dead. Too short a time costs the
   * writer another attempt, never a name that two tasks have.
   */
  readonly reservationGraceMs: number
  /** How long a deletion waits for the read models to show who uses what is deleted. */
  readonly usersDeadlineMs: number
}

export const defaultCommandOptions: CommandOptions = {
  cachedTasks: 20_000,
  cachedShared: 2_000,
  reservationGraceMs: 1_000,
  usersDeadlineMs: 10_000,
}

/** What the commands of a node share. */
export interface CommandParts extends Omit<CommandDeps, 'options' | 'digest'> {
  readonly options: CommandOptions
  readonly digest: Digest
  readonly tasks: Streams<TaskState>
  readonly names: Streams<NameState>
  readonly schedules: Streams<ScheduleState>
  readonly calendars: Streams<CalendarState>
  readonly announcements: Streams<{ readonly hash: string }>
  readonly keyRing: Streams<KeyRing>
  readonly webhooks: Streams<WebhookBook>
  readonly references: References
  readonly turns: Turns
}

export function commandParts(deps: CommandDeps): CommandParts {
  const options = { ...defaultCommandOptions, ...deps.options }
  const hashOf = (state: { readonly hash: string }): string => state.hash
  const { log } = deps
  const schedules = new Streams(log, { evolve: evolveSchedule, hashOf }, options.cachedShared)
  const calendars = new Streams(log, { evolve: evolveCalendar, hashOf }, options.cachedShared)
  return {
    ...deps,
    options,
    digest: deps.digest ?? digestOf,
    tasks: new Streams(log, { evolve: evolveTask, hashOf }, options.cachedTasks),
    names: new Streams(log, { evolve: evolveName, hashOf }, options.cachedTasks),
    schedules,
    calendars,
    announcements: new Streams(log, { evolve: (_, event) => ({ hash: event.hash }), hashOf }, 1),
    keyRing: new Streams(log, { evolve: evolveKeys, hashOf }, 1),
    webhooks: new Streams(log, { evolve: evolveWebhooks, hashOf }, 1),
    references: new References(schedules, calendars),
    turns: new Turns(),
  }
}

/** Who acts when nobody asked: the scheduler, or the healing of what a crash left behind. */
export const systemContext = (
  namespace: string,
  at: number,
  correlationId: string,
  reason?: string,
): CommandContext => ({
  namespace,
  actor: 'almanac',
  ...(reason === undefined ? {} : { reason }),
  at,
  correlationId,
})

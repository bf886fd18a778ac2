import { EventStoreLog, InvalidEventStoreAddress, parseEventStore } from '@almanac/adapters/eventstore'
import { openSharedEventLog } from '@almanac/adapters/sqlite'
import type { ServerAccess } from '@almanac/adapters/system'
import type { Clock, ClockGuard, EventLog, Random } from '@almanac/engine'
import { messageOf, StartProblem } from './service/index.js'

interface EventLogParts {
  /** `esdb://…`, or `sqlite:` and a folder. */
  readonly address: string
  readonly access: ServerAccess
  readonly cluster: string
  readonly clock: Clock
  readonly random: Random
  readonly guard: ClockGuard
  readonly onFault: (message: string, fault: unknown) => void
  readonly onFatal: (error: unknown) => void
}

export interface OpenEventLog {
  readonly log: EventLog
  close(): Promise<void>
}

const sqliteScheme = 'sqlite:'

/** Throws `StartProblem` when the address can't be used. */
export function openEventLog(parts: EventLogParts): OpenEventLog {
  const { address, access, cluster, clock, random, guard, onFault, onFatal } = parts
  if (address.startsWith(sqliteScheme)) {
    if (Object.keys(access).length > 0) {
      throw new StartProblem(
        'ALMANAC_EVENTSTORE is a folder: it has no user, no password and no certificates.',
      )
    }
    const folder = address.slice(sqliteScheme.length)
    try {
      const shared = openSharedEventLog({ folder, clock, random, onFatal })
      return { log: shared.eventLog, close: () => shared.close() }
    } catch (error) {
      throw new StartProblem(`${folder} cannot be opened (ALMANAC_EVENTSTORE): ${messageOf(error)}`, error)
    }
  }
  try {
    const log = new EventStoreLog({
      address: parseEventStore(address, access),
      prefix: `${cluster}.`,
      clock,
      random,
      onFault,
      onServerTime: (...seen) => guard.observe('eventstore', ...seen),
    })
    return { log, close: () => log.close() }
  } catch (error) {
    if (error instanceof InvalidEventStoreAddress)
      throw new StartProblem(`ALMANAC_EVENTSTORE: ${error.message}`, error)
    throw error
  }
}

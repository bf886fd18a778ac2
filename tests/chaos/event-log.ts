import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { EventStoreLog, parseEventStore } from '@almanac/adapters/eventstore'
import { openSharedEventLog } from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import type { RecordedEvent } from '@almanac/domain'
import type { EventLog } from '@almanac/engine'
import { freePorts } from '@almanac/infra'
import { DoubleServer } from './double-server.js'

/** Where the cluster's events are: a server, or a file that all nodes open. */
export class EventLogSource {
  /** Undefined: it is a file. */
  readonly server: DoubleServer | undefined
  private readonly folder: string
  private readonly cluster: string

  private constructor(folder: string, cluster: string, server: DoubleServer | undefined) {
    this.folder = folder
    this.cluster = cluster
    this.server = server
  }

  static async start(which: 'double' | 'sqlite', folder: string, cluster: string): Promise<EventLogSource> {
    const place = join(folder, 'event-log')
    mkdirSync(place, { recursive: true })
    if (which === 'sqlite') return new EventLogSource(place, cluster, undefined)
    const [port = 0] = await freePorts(1)
    const server = new DoubleServer(place, port)
    await server.start()
    return new EventLogSource(place, cluster, server)
  }

  /** As nodes are told it; `port`: the way to the server that is the node's own. */
  address(port: number | undefined): string {
    return port === undefined ? `sqlite:${this.folder}` : `esdb://127.0.0.1:${port}?tls=false`
  }

  /** All of them, read by a way that no fault spoils. */
  async events(): Promise<readonly RecordedEvent[]> {
    const { log, close } = this.open()
    const events: RecordedEvent[] = []
    const head = await log.head()
    for (let after = 0; after < head; ) {
      const page = await log.readAll(after, pageSize)
      events.push(...page.events)
      after = page.position
    }
    await close()
    return events
  }

  private open(): { readonly log: EventLog; readonly close: () => Promise<void> } {
    const parts = { clock: systemClock(), random: systemRandom() }
    if (this.server === undefined) {
      const onFatal = (error: unknown) => {
        throw error
      }
      const shared = openSharedEventLog({ ...parts, folder: this.folder, onFatal })
      return { log: shared.eventLog, close: () => shared.close() }
    }
    const log = new EventStoreLog({
      address: parseEventStore(this.address(this.server.port)),
      prefix: `${this.cluster}.`,
      ...parts,
    })
    return { log, close: () => log.close() }
  }

  async stop(): Promise<void> {
    await this.server?.kill()
  }
}

const pageSize = 1_000

import type { RecordedEvent } from '@almanac/domain'
import type { Killable } from './server-host.js'

/** Where the cluster's events are: a server, or a file that all nodes open. */
export class EventLogSource {
  readonly server: (Killable & { readonly host: string; readonly port: number }) | undefined

  static async start(_which: 'double' | 'sqlite', _folder: string): Promise<EventLogSource> {
    return new EventLogSource()
  }

  /** As nodes are told it; `port`: the way to the server that is the node's own. */
  address(port: number | undefined): string {
    return `esdb://127.0.0.1:${port}?tls=false`
  }

  async events(): Promise<readonly RecordedEvent[]> {
    return []
  }

  async stop(): Promise<void> {}
}

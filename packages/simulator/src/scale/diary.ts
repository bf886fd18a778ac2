import type { Instant } from '@almanac/recurrence'
import type { Cluster } from '../cluster/cluster.js'
import type { NodeHost } from '../cluster/node-host.js'

/** What was done to a node. */
export interface Entry {
  readonly what: 'started' | 'asked to end' | 'killed'
  readonly nodeId: string
  readonly at: Instant
}

/** Starts and ends nodes, and keeps when. */
export class Diary {
  readonly entries: Entry[] = []
  private readonly cluster: Cluster

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  start(hosts: readonly NodeHost[]): void {
    for (const host of hosts) {
      this.note('started', host)
      host.start()
    }
  }

  terminate(hosts: readonly NodeHost[]): void {
    for (const host of hosts) {
      this.note('asked to end', host)
      host.terminate(endingMs)
    }
  }

  kill(hosts: readonly NodeHost[]): void {
    for (const host of hosts) {
      this.note('killed', host)
      host.kill()
    }
  }

  /** Ends nodes, waits until they have, starts them again some seconds later, and waits until they serve. */
  async restart(hosts: readonly NodeHost[]): Promise<void> {
    this.terminate(hosts)
    await this.until(() => hosts.every(({ isUp }) => !isUp))
    await this.cluster.world.runFor(downMs)
    this.start(hosts)
    await this.until(() => hosts.every(({ node }) => node?.status().ready === true))
  }

  private async until(isSo: () => boolean): Promise<void> {
    const { world } = this.cluster
    const giveUpAt = world.now + 2 * endingMs
    while (!isSo()) {
      if (world.now > giveUpAt) throw new Error('Nodes do not restart')
      await world.runFor(100)
    }
  }

  private note(what: Entry['what'], { nodeId }: NodeHost): void {
    this.entries.push({ what, nodeId, at: this.cluster.world.now })
  }
}

/** From the end of a process to the start of the next, as where images are started. */
const downMs = 5_000
/** A node that is asked to end has so long for it. */
const endingMs = 30_000

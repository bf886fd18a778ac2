import { anyHost, type Fault } from './fault.js'

/** What can be wrong with the disk of a node. */
export const diskFaults = {
  /** The read models can not be stored: the node falls behind, and has to catch up. */
  'views-full': {
    everyMs: 80_000,
    lastsMs: [1_000, 60_000],
    strike(cluster, random) {
      const host = anyHost(cluster, random)
      host.machine.disk.isFull = true
      return {
        detail: host.name,
        end: () => {
          host.machine.disk.isFull = false
        },
      }
    },
  },
} satisfies Record<string, Fault>

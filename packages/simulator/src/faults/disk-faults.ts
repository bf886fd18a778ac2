import { between } from '../cluster/draw.js'
import { anyHost, type Fault } from './fault.js'

/** What can be wrong with the disk that a node keeps its read models on. */
export const diskFaults = {
  'views-full': {
    everyMs: 120_000,
    lastsMs: [1_000, 60_000],
    strike(cluster, random) {
      const { machine, name } = anyHost(cluster, random)
      machine.disk.isFull = true
      return {
        detail: name,
        end: () => {
          machine.disk.isFull = false
        },
      }
    },
  },
  'views-failing': {
    everyMs: 80_000,
    lastsMs: [3_000, 60_000],
    strike(cluster, random) {
      const { machine, name } = anyHost(cluster, random)
      machine.disk.errorRate = between(random, 0.05, 0.6)
      return {
        detail: name,
        end: () => {
          machine.disk.errorRate = 0
        },
      }
    },
  },
} as const satisfies { readonly [name: string]: Fault }

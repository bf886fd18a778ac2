/** One cluster that is measured. */
export interface ScaleSetting {
  readonly seed: number
  /** Nodes that schedule; one more comes and goes while it is measured. */
  readonly nodes: number
  readonly partitions: number
  /** Each is due once a minute, as many at one second as at another. A multiple of 60. */
  readonly tasks: number
  /** Tasks that are all due at one instant. */
  readonly mass: number
  /** How long the cluster is watched while nothing happens. Milliseconds. */
  readonly restMs: number
  /** How many changes of tasks are timed until they are in effect. */
  readonly changes: number
}

/** What all rows of the table have in common. */
export const workload = { seed: 1, tasks: 1_920, mass: 512, changes: 40 } as const

export const nodeCounts: readonly number[] = [1, 2, 4, 8, 16, 32, 64]
export const partitionCounts: readonly number[] = [64, 256]

/** A node renews some twenty times a minute: few nodes have to be watched for longer for the same number of them. */
export const restMsOf = (nodes: number): number => (nodes <= 8 ? 120_000 : 60_000)

/** How many nodes are restarted at once: a quarter. */
export const restartedAtOnce = (nodes: number): number => Math.ceil(nodes / 4)

/** How many of the nodes are killed at once. */
export const thirdOf = (nodes: number): number => Math.round(nodes / 3)

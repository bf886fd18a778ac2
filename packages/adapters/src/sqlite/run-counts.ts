import type { RunStatus } from '@almanac/domain'
import type { Database, Statement } from './database.js'

/** Where a run is counted, besides its status. */
export interface Counted {
  readonly namespace: string
  readonly queue: string
  readonly kind: string
}

interface Delta extends Counted {
  readonly status: RunStatus
  count: number
}

/**
 * How many runs there are by namespace, queue, kind and status, so that totals of lists need no scan. Changes
 * are gathered and written once at the end of an operation: a trigger for each row took a quarter of a tick's
 * time.
 */
export class RunCounts {
  readonly #put: Statement
  readonly #deltas = new Map<string, Delta>()

  constructor(database: Database) {
    this.#put = database.prepare(
      'INSERT INTO run_counts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count',
    )
  }

  /** Runs one operation's work and writes what it counted; nothing is left of work that threw. */
  during<T>(work: () => T): T {
    this.#deltas.clear()
    const value = work()
    for (const { namespace, queue, kind, status, count } of this.#deltas.values()) {
      if (count !== 0) this.#put.run(namespace, queue, kind, status, count)
    }
    return value
  }

  /** A run has come to be in `to`, from `from`; null: from nothing, or to nothing. */
  move(run: Counted, from: RunStatus | null, to: RunStatus | null): void {
    if (from === to) return
    if (from !== null) this.#add(run, from, -1)
    if (to !== null) this.#add(run, to, 1)
  }

  #add({ namespace, queue, kind }: Counted, status: RunStatus, change: number): void {
    const key = JSON.stringify([namespace, queue, kind, status])
    const delta = this.#deltas.get(key)
    if (delta === undefined) this.#deltas.set(key, { namespace, queue, kind, status, count: change })
    else delta.count += change
  }
}

// What is measured when something changes: answers, and the runs that come of it.

import { Committed } from './committed.mjs'
import { sleep } from './scenario.mjs'
import { quantile } from './world.mjs'

/** What is committed, as a worker sees it come. */
export class RunWatch {
  #runs = new Map()
  #waiting = new Map()
  #committed

  constructor(bootstrap, prefix) {
    this.#committed = new Committed(bootstrap, prefix, { onRun: (record) => this.#take(record) })
    this.#committed.start()
  }

  of(taskId) {
    return this.#runs.get(taskId) ?? []
  }

  /** The first run that is due by the schedule, or that was asked for. */
  async first(taskId, isManual) {
    for (;;) {
      const found = this.of(taskId).find(({ kind }) => (kind === 'manual') === isManual)
      if (found !== undefined) return found
      const come = new Promise((resolve) => this.#waiting.set(taskId, () => resolve(true)))
      if (!(await Promise.race([come, sleep(30_000)]))) throw new Error(`No run of ${taskId} in 30 s`)
    }
  }

  stop() {
    return this.#committed.stop()
  }

  #take({ headers: { taskId, kind, scheduledAt }, appendedAt }) {
    const runs = this.of(taskId)
    this.#runs.set(taskId, runs)
    runs.push({ kind, scheduledAt: Date.parse(scheduledAt), appendedAt, seenAt: Date.now() })
    this.#waiting.get(taskId)?.()
  }
}

/** Milliseconds by what was measured, of tasks that the node that was asked owns, and of the other one's. */
export class Figures {
  #all = new Map()
  pending = 0

  add(what, isOwn, ms) {
    const both = this.#all.get(what) ?? { own: [], other: [] }
    this.#all.set(what, both)
    both[isOwn ? 'own' : 'other'].push(ms)
  }

  /** Sends a request, and answers when that was, and the body. */
  async timed(what, isOwnOf, send) {
    const at = Date.now()
    const began = performance.now()
    const { headers, body } = await send()
    const tookMs = performance.now() - began
    if (headers.get('almanac-fence') === 'pending') this.pending += 1
    else this.add(what, isOwnOf(body.id ?? body.taskId), tookMs)
    return { at, answeredAt: Date.now(), isFenced: headers.get('almanac-fence') === 'fenced', body }
  }

  tell() {
    for (const [what, { own, other }] of this.#all) {
      console.log(`${what.padEnd(62)} same node ${textOf(own)}   other node ${textOf(other)}`)
    }
  }
}

export function textOf(values) {
  if (values.length === 0) return '-'
  const sorted = values.toSorted((a, b) => a - b)
  const [p50, p99] = [0.5, 0.99].map((part) => quantile(sorted, part))
  return `p50 ${shown(p50)}, p99 ${shown(p99)}, max ${shown(sorted.at(-1))} (${sorted.length})`
}

const shown = (ms) => `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`

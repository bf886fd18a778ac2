import { type Checkpoint, lastTaskId, nextOccurrence } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { Chain } from './chain.js'
import type { Era } from './eras.js'
import type { Findings } from './findings.js'
import { raised } from './floors.js'
import type { Seen } from './seen.js'
import { quietFrom } from './timing.js'

/** An idle partition still leaves a checkpoint this often. */
const idleMs = 30_000

/** After the last fault every partition comes back by itself, and nothing that was due is left undecided. */
export class Recovery {
  private readonly seen: Seen
  private readonly findings: Findings
  private readonly quietFrom: Instant

  constructor(seen: Seen, findings: Findings) {
    this.seen = seen
    this.findings = findings
    this.quietFrom = quietFrom(seen)
  }

  /** `eras`: of every task of the partition. */
  check(chain: Chain, eras: readonly (readonly Era[])[]): void {
    const { end, healed } = this.seen
    if (end === null || end <= this.quietFrom) return
    if (healed.length > 0) this.checkProgress(chain, end)
    this.checkUndecided(chain, eras, end)
  }

  private checkProgress({ partition, ticks }: Chain, end: Instant): void {
    this.findings.checked('unrecovered')
    const limit = idleMs + this.seen.meta.lateToleranceMs
    let last = this.quietFrom
    for (const appendedAt of [...ticks.map(({ seen }) => seen.appendedAt), end]) {
      if (appendedAt <= this.quietFrom) continue
      if (appendedAt - last > limit) {
        const message = `partition ${partition} left no checkpoint for ${appendedAt - last} ms`
        this.findings.violated('unrecovered', message, { at: last, partition })
      }
      last = Math.max(last, appendedAt)
    }
  }

  /** What is due and undecided at the end, although there was time. */
  private checkUndecided(chain: Chain, eras: readonly (readonly Era[])[], end: Instant): void {
    const { partition, ticks } = chain
    const last = ticks.at(-1)?.checkpoint
    const until = end - this.seen.meta.lateToleranceMs
    if (until <= this.quietFrom) return
    for (const ofTask of eras) {
      const newest = ofTask.at(-1)
      if (newest === undefined) continue
      this.findings.checked('unrecovered')
      const { taskId } = newest.task
      const request = ofTask.find(
        ({ event, from, at }) =>
          from > (last?.position ?? 0) &&
          at <= until &&
          requests.has(event.type) &&
          newest.state.status === 'active',
      )
      if (request !== undefined) {
        const message = `what was asked for at position ${request.from} is still to be decided at the end`
        this.findings.violated('unrecovered', message, { at: request.at, partition, taskId })
      }
      const due = dueOf(newest, last)
      if (due === undefined || due > until) continue
      const message = `what was due at ${due} is still to be decided at the end`
      this.findings.violated('unrecovered', message, { at: due, partition, taskId })
    }
  }
}

const requests: ReadonlySet<string> = new Set(['TaskTriggered', 'TaskBackfillRequested'])

/** When the task is due next, behind the last cursor; undefined: never, or nobody can tell. */
function dueOf({ definition, at }: Era, last: Checkpoint | undefined): Instant | undefined {
  if (definition === null) return undefined
  try {
    const cursor = last?.cursor ?? { at: definition.since, taskId: lastTaskId }
    const next = nextOccurrence(raised(definition, last ?? {}), cursor)
    // What an event brings about is due no earlier than the event.
    return next === undefined ? undefined : Math.max(next.dispatchAt, at)
  } catch {
    return undefined
  }
}

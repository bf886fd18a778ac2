import {
  type Checkpoint,
  isSampled,
  type PlannedRun,
  type Position,
  type RecordedEvent,
  type RunCommand,
  requestedRunIdOf,
  type Skip,
  type Traceparent,
} from '@almanac/domain'
import type { Clock } from '../ports/clock.js'
import type { CommitOutcome } from '../ports/dispatch-log.js'
import type { Span, Telemetry } from '../ports/telemetry.js'

/** What a tick is about to commit. */
interface Decided {
  readonly next: Checkpoint
  readonly planned: readonly PlannedRun[]
  readonly commands: readonly RunCommand[]
  readonly skips: readonly Skip[]
  /** When the tick began, in elapsed time. */
  readonly begunAt: number
}

/** A traced command whose event the next tick will be the first to know. */
interface Cause {
  readonly position: Position
  readonly taskId: string
  readonly eventId: string
  readonly traceparent: Traceparent
}

interface TickRecorderParts {
  readonly telemetry: Telemetry
  readonly clock: Clock
  /** `cluster` is part of every run id. */
  readonly options: { readonly cluster: string }
}

/**
 * Traces and measures the ticks of one owner. What it adds to a run command is the context that its worker goes on
 * with, and nothing else.
 *
 * - A tick belongs to the trace of the first command that it is the first to know of, and is linked to the others.
 * - A run that was asked for belongs to the trace of who asked. A scheduled one begins a trace, whose id is its run id;
 *   it is linked to its tick, which is recorded whenever one of its runs is.
 */
export class TickRecorder {
  private readonly parts: TickRecorderParts
  private causes: readonly Cause[] = []

  constructor(parts: TickRecorderParts) {
    this.parts = parts
  }

  /** An event of a task of this owner has been applied. */
  heard({ id, position, metadata }: RecordedEvent, taskId: string): void {
    const { traceparent } = metadata
    if (traceparent === undefined) return
    const cause = { position, taskId, eventId: id, traceparent }
    this.causes = [...this.causes.slice(-maxCauses + 1), cause]
  }

  /** Commits what was decided by `commit`, which gets the run commands with their contexts. */
  async commit(
    decided: Decided,
    commit: (commands: readonly RunCommand[]) => Promise<CommitOutcome>,
  ): Promise<CommitOutcome> {
    const { telemetry } = this.parts
    if (telemetry.isOff && this.causes.length === 0) return commit(decided.commands)
    const { position } = decided.next
    const causes = this.causes.filter((cause) => cause.position <= position)
    const tick = this.beginTick(decided, causes)
    const { commands, spans } = this.traced(decided.commands, causes, tick)
    if (tick.isRecorded) spans.push(telemetry.span('commit', { parent: tick.traceparent }))
    let outcome: CommitOutcome | 'failed' = 'failed'
    try {
      outcome = await commit(commands)
      return outcome
    } finally {
      for (const span of [...spans, tick]) {
        if (outcome !== 'committed') span.failed(outcome)
        span.end()
      }
      this.measure(decided, outcome)
      if (outcome === 'committed') this.causes = this.causes.filter((cause) => cause.position > position)
    }
  }

  private beginTick({ next, commands, begunAt }: Decided, causes: readonly Cause[]): Span {
    const { telemetry, clock } = this.parts
    const [parent, ...others] = causes.flatMap(({ traceparent }) =>
      isSampled(traceparent) ? [traceparent] : [],
    )
    return telemetry.span('tick', {
      parent,
      links: others.slice(0, maxLinks),
      isWanted: telemetry.isTracing && commands.some(({ runId }) => telemetry.samples(runId)),
      agoMs: clock.elapsed() - begunAt,
      attributes: {
        'almanac.seq': next.seq,
        'almanac.term': next.term,
        'almanac.position': next.position,
        'almanac.runs': next.runs,
        'almanac.skipped': next.skipped,
      },
    })
  }

  private traced(
    commands: readonly RunCommand[],
    causes: readonly Cause[],
    tick: Span,
  ): { readonly commands: readonly RunCommand[]; readonly spans: Span[] } {
    const { telemetry } = this.parts
    const spans: Span[] = []
    if (!telemetry.isTracing && causes.length === 0) return { commands, spans }
    const links = tick.isRecorded && tick.traceparent !== undefined ? [tick.traceparent] : []
    const traced = commands.map((command) => {
      const { runId } = command
      const parent = this.askedBy(command, causes)
      if (parent === undefined && !telemetry.samples(runId)) return command
      const attributes = attributesOf(command)
      const span = telemetry.span('run', { parent, traceId: runId, links, kind: 'producer', attributes })
      spans.push(span)
      return span.traceparent === undefined ? command : { ...command, traceparent: span.traceparent }
    })
    return { commands: traced, spans }
  }

  /** The context of the command that asked for the run. */
  private askedBy(
    { kind, runId, taskId, namespace, scheduledAt }: RunCommand,
    causes: readonly Cause[],
  ): Traceparent | undefined {
    if (kind !== 'manual' && kind !== 'backfill') return undefined
    const { cluster } = this.parts.options
    return causes.find(
      (cause) =>
        cause.taskId === taskId &&
        requestedRunIdOf(cluster, namespace, taskId, scheduledAt, cause.eventId) === runId,
    )?.traceparent
  }

  private measure({ planned, commands, skips, begunAt }: Decided, outcome: string): void {
    const { telemetry, clock } = this.parts
    telemetry.record('tick_seconds', (clock.elapsed() - begunAt) / 1_000, { outcome })
    if (outcome !== 'committed') return
    const now = clock.now()
    for (const { kind, dispatchAt } of planned) {
      if (kind === 'scheduled') telemetry.record('lateness_seconds', Math.max(0, now - dispatchAt) / 1_000)
    }
    if (commands.length > 0) telemetry.count('occurrences_total', commands.length, { outcome: 'emitted' })
    for (const { reason, count } of skips) {
      telemetry.count('occurrences_total', count, { outcome: reason })
      if (reason === 'misfire' || reason === 'quarantined') telemetry.count('missed_total', count, { reason })
    }
  }
}

/** More than this between two ticks are not told apart. */
const maxCauses = 1_000
const maxLinks = 32

const attributesOf = (run: RunCommand) => ({
  'almanac.run.id': run.runId,
  'almanac.run.kind': run.kind,
  'almanac.task.id': run.taskId,
  'almanac.namespace': run.namespace,
  'almanac.partition': run.partition,
  'almanac.seq': run.seq,
  'messaging.destination.name': run.queue,
})

import type { Member, PartitionId, Position, StoredEvent } from '@almanac/domain'
import type { Clock } from '../ports/clock.js'
import type { Claim, CommitOutcome, DispatchLog, Tick } from '../ports/dispatch-log.js'
import type { AppendResult, EventLog, ExpectedRevision } from '../ports/event-log.js'
import { PortFault } from '../ports/faults.js'
import type { LeaseStore } from '../ports/lease-store.js'
import type { Membership, Renewal } from '../ports/membership.js'
import type { HistogramName, LabelsOf } from '../ports/metrics.js'
import { type Telemetry, unrecorded } from '../ports/telemetry.js'

/** What is measured of the ports of a node. */
interface Ports {
  readonly log: EventLog
  readonly dispatchLog: DispatchLog
  readonly cluster?: { readonly membership: Membership; readonly leases: LeaseStore }
}

interface Measured<P> {
  readonly ports: P
  /** The newest position of the log that has been heard of. */
  newest(): Position
  /** How many leases the node holds; undefined: it has nothing to do with leases. */
  leases(): number | undefined
}

/** Ports with a watch in hand: they answer and throw as those that were given. With telemetry off they are those. */
export function measured<P extends Ports>(ports: P, watch: Watch): Measured<P> {
  if (watch.telemetry.isOff) return { ports, newest: () => 0, leases: () => undefined }
  const log = new MeasuredLog(ports.log, watch)
  const dispatchLog = new MeasuredDispatchLog(ports.dispatchLog, watch)
  const newest = () => log.newest
  const { cluster } = ports
  if (cluster === undefined) return { ports: { ...ports, log, dispatchLog }, newest, leases: () => undefined }
  const leases = new MeasuredLeases(cluster.leases, watch)
  const membership = new MeasuredMembership(cluster.membership, watch)
  return {
    ports: { ...ports, log, dispatchLog, cluster: { ...cluster, membership, leases } },
    newest,
    leases: () => leases.count,
  }
}

type Timed =
  | 'append_seconds'
  | 'claim_seconds'
  | 'commit_seconds'
  | 'lease_renew_seconds'
  | 'membership_renew_seconds'

interface Watch {
  readonly telemetry: Telemetry
  readonly clock: Pick<Clock, 'elapsed'>
}

const codeOf = (fault: unknown): string => (fault instanceof PortFault ? fault.code : 'failed')

/** Measures `work`; the outcome is what `outcomeOf` makes of its answer, or the code of its fault. */
async function timed<T>(
  { telemetry, clock }: Watch,
  name: Timed & HistogramName,
  work: () => Promise<T>,
  outcomeOf: (answer: T) => string,
): Promise<T> {
  const begunAt = clock.elapsed()
  let outcome = 'failed'
  try {
    const answer = await work()
    outcome = outcomeOf(answer)
    return answer
  } catch (fault) {
    outcome = codeOf(fault)
    throw fault
  } finally {
    const labels: LabelsOf<Timed> = { outcome }
    telemetry.record(name, (clock.elapsed() - begunAt) / 1_000, labels)
  }
}

/** An event log; what a traced command appends is a step of its trace. */
export class MeasuredLog implements EventLog {
  /** The newest position that was read as the head, or appended. */
  newest: Position = 0
  private readonly log: EventLog
  private readonly watch: Watch

  constructor(log: EventLog, watch: Watch) {
    this.log = log
    this.watch = watch
  }

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly StoredEvent[],
  ): Promise<AppendResult> {
    const { telemetry } = this.watch
    const parent = events[0]?.metadata.traceparent
    const attributes = { 'almanac.events': events.length }
    // What nobody traced begins no trace.
    const span = parent === undefined ? unrecorded(parent) : telemetry.span('append', { parent, attributes })
    try {
      const result = await timed(
        this.watch,
        'append_seconds',
        () => this.log.append(stream, expected, events),
        ({ outcome }) => outcome,
      )
      span.set({ 'almanac.outcome': result.outcome })
      if (result.outcome === 'appended') {
        telemetry.count('events_appended_total', events.length)
        this.newest = Math.max(this.newest, result.position)
        span.set({ 'almanac.position': result.position })
      }
      return result
    } catch (fault) {
      span.failed(codeOf(fault))
      throw fault
    } finally {
      span.end()
    }
  }

  async head(): Promise<Position> {
    const head = await this.log.head()
    this.newest = Math.max(this.newest, head)
    return head
  }

  readStream(...asked: Parameters<EventLog['readStream']>): ReturnType<EventLog['readStream']> {
    return this.log.readStream(...asked)
  }

  readAll(...asked: Parameters<EventLog['readAll']>): ReturnType<EventLog['readAll']> {
    return this.log.readAll(...asked)
  }

  follow(...asked: Parameters<EventLog['follow']>): ReturnType<EventLog['follow']> {
    return this.log.follow(...asked)
  }
}

export class MeasuredDispatchLog implements DispatchLog {
  private readonly log: DispatchLog
  private readonly watch: Watch

  constructor(log: DispatchLog, watch: Watch) {
    this.log = log
    this.watch = watch
  }

  async claim(partition: PartitionId, termAbove?: number): Promise<Claim> {
    const claim = await timed(
      this.watch,
      'claim_seconds',
      () => this.log.claim(partition, termAbove),
      () => 'claimed',
    )
    return new MeasuredClaim(claim, this.watch)
  }

  seen(partition: PartitionId): ReturnType<DispatchLog['seen']> {
    return this.log.seen(partition)
  }

  owner(partition: PartitionId): ReturnType<DispatchLog['owner']> {
    return this.log.owner(partition)
  }

  probe(): Promise<void> {
    return this.log.probe()
  }
}

class MeasuredClaim implements Claim {
  readonly partition: PartitionId
  readonly term: number
  readonly checkpoint: Claim['checkpoint']
  private readonly claim: Claim
  private readonly watch: Watch

  constructor(claim: Claim, watch: Watch) {
    this.claim = claim
    this.watch = watch
    this.partition = claim.partition
    this.term = claim.term
    this.checkpoint = claim.checkpoint
  }

  commit(tick: Tick): Promise<CommitOutcome> {
    return timed(
      this.watch,
      'commit_seconds',
      () => this.claim.commit(tick),
      (outcome) => outcome,
    )
  }

  release(): Promise<void> {
    return this.claim.release()
  }
}

export class MeasuredLeases implements LeaseStore {
  /** Until when each lease surely lasts, in elapsed time. */
  private readonly held = new Map<PartitionId, number>()
  private readonly leases: LeaseStore
  private readonly watch: Watch

  constructor(leases: LeaseStore, watch: Watch) {
    this.leases = leases
    this.watch = watch
  }

  /** How many leases this node holds now. */
  get count(): number {
    const now = this.watch.clock.elapsed()
    return [...this.held.values()].filter((until) => until > now).length
  }

  async acquire(lease: PartitionId, holder: string, ttlMs: number): Promise<'held' | 'refused'> {
    const until = this.watch.clock.elapsed() + ttlMs
    const answer = await timed(
      this.watch,
      'lease_renew_seconds',
      () => this.leases.acquire(lease, holder, ttlMs),
      (outcome) => outcome,
    )
    if (answer === 'held') this.held.set(lease, until)
    else this.held.delete(lease)
    return answer
  }

  async release(lease: PartitionId, holder: string): Promise<void> {
    this.held.delete(lease)
    await this.leases.release(lease, holder)
  }
}

export class MeasuredMembership implements Membership {
  private readonly membership: Membership
  private readonly watch: Watch

  constructor(membership: Membership, watch: Watch) {
    this.membership = membership
    this.watch = watch
  }

  renew(member: Member, ttlMs: number): Promise<Renewal> {
    return timed(
      this.watch,
      'membership_renew_seconds',
      () => this.membership.renew(member, ttlMs),
      ({ outcome }) => outcome,
    )
  }

  leave(nodeId: string, instance: string): Promise<void> {
    return this.membership.leave(nodeId, instance)
  }
}

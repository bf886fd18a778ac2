import type { Member, PartitionId } from '@almanac/domain'
import type { LeaseStore, Membership, Renewal } from '@almanac/engine'
import type { CallOptions, Process } from '../world/index.js'
import type { LeaseService } from './lease-service.js'

export interface SimLeaseOptions {
  /** What is not answered within this throws `unavailable`. Default 2,000 ms. */
  readonly deadlineMs?: number
}

const defaultDeadlineMs = 2_000

/** To ask again does no harm: whatever was not answered is `unavailable`. */
const asking = (service: LeaseService, label: string, deadlineMs: number): CallOptions => ({
  service: service.name,
  label,
  deadlineMs,
  isWrite: false,
})

/** The leases as one process reaches them. */
export class SimLeaseStore implements LeaseStore {
  private readonly process: Process
  private readonly service: LeaseService
  private readonly deadlineMs: number

  constructor(process: Process, service: LeaseService, options: SimLeaseOptions = {}) {
    this.process = process
    this.service = service
    this.deadlineMs = options.deadlineMs ?? defaultDeadlineMs
  }

  acquire(lease: PartitionId, holder: string, ttlMs: number): Promise<'held' | 'refused'> {
    return this.process.call(asking(this.service, 'acquire', this.deadlineMs), () =>
      this.service.acquire(lease, holder, ttlMs),
    )
  }

  release(lease: PartitionId, holder: string): Promise<void> {
    return this.process.call(asking(this.service, 'release', this.deadlineMs), () =>
      this.service.release(lease, holder),
    )
  }
}

/** The members as one process reaches them. */
export class SimMembership implements Membership {
  private readonly process: Process
  private readonly service: LeaseService
  private readonly deadlineMs: number

  constructor(process: Process, service: LeaseService, options: SimLeaseOptions = {}) {
    this.process = process
    this.service = service
    this.deadlineMs = options.deadlineMs ?? defaultDeadlineMs
  }

  renew(member: Member, ttlMs: number): Promise<Renewal> {
    return this.process.call(asking(this.service, 'renew', this.deadlineMs), () =>
      this.service.renew(member, ttlMs),
    )
  }

  leave(nodeId: string, instance: string): Promise<void> {
    return this.process.call(asking(this.service, 'leave', this.deadlineMs), () =>
      this.service.leave(nodeId, instance),
    )
  }
}

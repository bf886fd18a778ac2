import type { RunCommand, RunStatus } from '@almanac/domain'
import { expect } from 'vitest'
import type { Claim, DispatchLog } from './dispatch-log.js'
import type { LeasedRun, LeaseRequest, RunStore } from './run-store.js'
import { nextCheckpoint, tickOf } from './samples.contract.js'

export interface RunStoreFixture {
  readonly dispatch: DispatchLog
  readonly runs: RunStore
  close(): Promise<void>
}

/** The fixture with what the suites do with it again and again. */
export class RunStoreBench {
  readonly runs: RunStore
  readonly close: () => Promise<void>
  private readonly dispatch: DispatchLog
  private claim: Claim | undefined
  private checkpoint: Claim['checkpoint'] = null

  constructor(fixture: RunStoreFixture) {
    this.runs = fixture.runs
    this.dispatch = fixture.dispatch
    this.close = () => fixture.close()
  }

  /** Commits one tick with these runs (and whatever else the tick is to have). */
  async commit(runs: readonly RunCommand[], parts: Parameters<typeof tickOf>[1] = {}, evaluatedAt = 1005) {
    this.claim ??= await this.dispatch.claim(0)
    const next = nextCheckpoint({ term: this.claim.term, checkpoint: this.checkpoint }, { evaluatedAt })
    expect(await this.claim.commit(tickOf(next, { ...parts, runs }))).toBe('committed')
    this.checkpoint = next
  }

  lease(changes: Partial<LeaseRequest> = {}): Promise<readonly LeasedRun[]> {
    return this.runs.lease({
      namespace: 'default',
      queue: 'default',
      max: 10,
      worker: 'worker-1',
      leaseMs: 1000,
      now: 2000,
      ...changes,
    })
  }

  async leaseIds(changes: Partial<LeaseRequest> = {}): Promise<readonly string[]> {
    return (await this.lease(changes)).map(({ run }) => run.command.runId)
  }

  async leaseOne(changes: Partial<LeaseRequest> = {}): Promise<LeasedRun> {
    const [leased, ...rest] = await this.lease({ ...changes, max: 1 })
    if (leased === undefined || rest.length > 0) throw new Error('Exactly one run should have been leased.')
    return leased
  }

  status(runId: string): RunStatus | undefined {
    return this.runs.run(runId)?.status
  }
}

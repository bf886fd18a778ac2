import type { RunCommand } from '@almanac/domain'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DispatchLog } from './dispatch-log.js'
import { nextCheckpoint, sampleRun, tickOf } from './samples.contract.js'

export interface DispatchLogFixture {
  readonly dispatch: DispatchLog
  /** Every run that a reader of committed runs sees, in no promised order across partitions. */
  committed(): Promise<readonly RunCommand[]>
  close(): Promise<void>
}

/** What a dispatch log keeps: one effective writer a partition, and all of a tick or nothing. */
export const dispatchLogContract = (name: string, factory: () => Promise<DispatchLogFixture>): void => {
  describe(`dispatch log: ${name}`, () => {
    let fixture: DispatchLogFixture
    beforeEach(async () => {
      fixture = await factory()
    })
    afterEach(() => fixture.close())
    describe('claim', () => claiming(() => fixture))
    describe('seen', () => seeing(() => fixture))
    describe('commit', () => committing(() => fixture))
    describe('fence', () => fencing(() => fixture))
  })
}

const idsIn = async (fixture: DispatchLogFixture) =>
  (await fixture.committed()).map(({ runId }) => runId).sort()

const claiming = (fixture: () => DispatchLogFixture) => {
  it('finds no checkpoint in a new partition', async () => {
    const claim = await fixture().dispatch.claim(3)
    expect(claim.partition).toBe(3)
    expect(claim.checkpoint).toBeNull()
  })

  it('gives strictly growing terms, partition by partition', async () => {
    const { dispatch } = fixture()
    const first = await dispatch.claim(3)
    const second = await dispatch.claim(3)
    const third = await dispatch.claim(3)
    expect(second.term).toBeGreaterThan(first.term)
    expect(third.term).toBeGreaterThan(second.term)
  })

  it('gives a term above all that it is told of, in new partitions and in known ones', async () => {
    const { dispatch } = fixture()
    const recovered = await dispatch.claim(3, 41)
    expect(recovered.term).toBeGreaterThan(41)
    const next = nextCheckpoint(recovered)
    expect(await recovered.commit(tickOf(next))).toBe('committed')
    const later = await dispatch.claim(3, 7)
    expect(later.term).toBeGreaterThan(recovered.term)
    expect(await recovered.commit(tickOf(nextCheckpoint({ ...recovered, checkpoint: next })))).toBe('fenced')
    const far = await dispatch.claim(3, later.term + 1000)
    expect(far.term).toBeGreaterThan(later.term + 1000)
    expect(far.checkpoint).toEqual(next)
    expect((await dispatch.claim(4)).term).toBeGreaterThan(0)
  })

  it('gives different terms to claimants at the same time, and the highest of them can commit', async () => {
    const { dispatch } = fixture()
    const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => dispatch.claim(5)))
    // One that was overtaken while it claimed may learn of it then, or when it commits.
    const failed = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []))
    for (const fault of failed) expect(fault).toMatchObject({ code: 'unavailable' })
    const claims = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
    expect(claims.length).toBeGreaterThan(0)
    expect(new Set(claims.map(({ term }) => term)).size).toBe(claims.length)
    const ticks = claims.map((claim) =>
      claim.commit(tickOf(nextCheckpoint(claim), { runs: [sampleRun(`run-${claim.term}`)] })),
    )
    const outcomes = await Promise.all(ticks)
    expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'fenced')).toHaveLength(claims.length - 1)
    expect(await idsIn(fixture())).toEqual([`run-${Math.max(...claims.map(({ term }) => term))}`])
  })

  it('brings the last checkpoint back as it was', async () => {
    const { dispatch } = fixture()
    const first = await dispatch.claim(1)
    const one = nextCheckpoint(first)
    await first.commit(tickOf(one))
    const two = nextCheckpoint(
      { ...first, checkpoint: one },
      {
        cursor: { at: 2 ** 45 + 1, taskId: 'ταsk' },
        more: true,
        digest: 'x'.repeat(64),
        previous: 'y'.repeat(64),
        runs: 3,
        skipped: 9,
      },
    )
    await first.commit(tickOf(two))
    expect((await dispatch.claim(1)).checkpoint).toEqual(two)
  })

  it('keeps checkpoints apart', async () => {
    const { dispatch } = fixture()
    const one = await dispatch.claim(1)
    await one.commit(tickOf(nextCheckpoint(one)))
    expect((await dispatch.claim(2)).checkpoint).toBeNull()
    expect((await dispatch.claim(11)).checkpoint).toBeNull()
  })
}

const seeing = (fixture: () => DispatchLogFixture) => {
  it('has seen nothing of a new partition, claimed or not', async () => {
    const { dispatch } = fixture()
    expect(dispatch.seen(3)).toBeNull()
    await dispatch.claim(3)
    expect(dispatch.seen(3)).toBeNull()
  })

  it('has seen what was committed last, partition by partition', async () => {
    const { dispatch } = fixture()
    const claim = await dispatch.claim(3)
    const one = nextCheckpoint(claim)
    await claim.commit(tickOf(one))
    expect(dispatch.seen(3)).toEqual(one)
    const two = nextCheckpoint({ ...claim, checkpoint: one }, { digest: 'two' })
    await claim.commit(tickOf(two))
    expect(dispatch.seen(3)).toEqual(two)
    expect(dispatch.seen(2)).toBeNull()
  })

  it('has not seen what was fenced', async () => {
    const { dispatch } = fixture()
    const old = await dispatch.claim(3)
    const one = nextCheckpoint(old)
    await old.commit(tickOf(one))
    const later = await dispatch.claim(3)
    expect(dispatch.seen(3)).toEqual(one)
    expect(await old.commit(tickOf(nextCheckpoint({ ...old, checkpoint: one })))).toBe('fenced')
    expect(dispatch.seen(3)).toEqual(one)
    const two = nextCheckpoint({ ...later, checkpoint: one })
    await later.commit(tickOf(two))
    expect(dispatch.seen(3)).toEqual(two)
  })

  it('answers a probe, which fences nobody', async () => {
    const { dispatch } = fixture()
    const claim = await dispatch.claim(3)
    await dispatch.probe()
    expect(await claim.commit(tickOf(nextCheckpoint(claim)))).toBe('committed')
  })
}

const committing = (fixture: () => DispatchLogFixture) => {
  it('shows the runs of a committed tick, whole', async () => {
    const claim = await fixture().dispatch.claim(0)
    const runs = [
      sampleRun('a'),
      sampleRun('b', { priority: 9, exchange: 'ex', routingKey: 'rk', expiresAt: 99_999, kind: 'manual' }),
    ]
    expect(await claim.commit(tickOf(nextCheckpoint(claim), { runs }))).toBe('committed')
    const committed = await fixture().committed()
    expect([...committed].sort((a, b) => (a.runId < b.runId ? -1 : 1))).toEqual(runs)
  })

  it('takes ticks one after another from one claim', async () => {
    const claim = await fixture().dispatch.claim(0)
    let checkpoint = claim.checkpoint
    for (let n = 0; n < 10; n++) {
      const next = nextCheckpoint({ term: claim.term, checkpoint })
      expect(await claim.commit(tickOf(next, { runs: [sampleRun(`run-${n}`)] }))).toBe('committed')
      checkpoint = next
    }
    expect(await fixture().committed()).toHaveLength(10)
    expect((await fixture().dispatch.claim(0)).checkpoint?.seq).toBe(10)
  })

  it('takes a tick with a thousand runs, all of them', async () => {
    const claim = await fixture().dispatch.claim(0)
    const runs = Array.from({ length: 1000 }, (_, n) => sampleRun(`run-${String(n).padStart(4, '0')}`))
    expect(await claim.commit(tickOf(nextCheckpoint(claim), { runs }))).toBe('committed')
    expect(await idsIn(fixture())).toEqual(runs.map(({ runId }) => runId))
  })

  it('takes ticks of many partitions at once', async () => {
    const { dispatch } = fixture()
    const partitions = Array.from({ length: 16 }, (_, n) => n)
    const claims = await Promise.all(partitions.map((partition) => dispatch.claim(partition)))
    const outcomes = await Promise.all(
      claims.map((claim) =>
        claim.commit(tickOf(nextCheckpoint(claim), { runs: [sampleRun(`run-${claim.partition}`)] })),
      ),
    )
    expect(outcomes.every((outcome) => outcome === 'committed')).toBe(true)
    expect(await fixture().committed()).toHaveLength(16)
  })
}

const fencing = (fixture: () => DispatchLogFixture) => {
  it('writes nothing for a claimant that was overtaken, not even the checkpoint', async () => {
    const { dispatch } = fixture()
    const old = await dispatch.claim(0)
    const next = nextCheckpoint(old)
    await old.commit(tickOf(next))
    const later = await dispatch.claim(0)
    const stale = nextCheckpoint({ term: old.term, checkpoint: next })
    expect(await old.commit(tickOf(stale, { runs: [sampleRun('stale')] }))).toBe('fenced')
    expect(await fixture().committed()).toEqual([])
    const fresh = nextCheckpoint(later, { digest: 'fresh' })
    expect(await later.commit(tickOf(fresh, { runs: [sampleRun('fresh')] }))).toBe('committed')
    expect(await idsIn(fixture())).toEqual(['fresh'])
    expect((await dispatch.claim(0)).checkpoint).toEqual(fresh)
  })

  it('stays: a claimant that was overtaken never comes back', async () => {
    const { dispatch } = fixture()
    const old = await dispatch.claim(0)
    const later = await dispatch.claim(0)
    await later.release()
    expect(await old.commit(tickOf(nextCheckpoint(old)))).toBe('fenced')
    expect(await old.commit(tickOf(nextCheckpoint(old)))).toBe('fenced')
  })

  it('does not reach other partitions', async () => {
    const { dispatch } = fixture()
    const one = await dispatch.claim(1)
    await dispatch.claim(2)
    expect(await one.commit(tickOf(nextCheckpoint(one)))).toBe('committed')
  })

  it('holds for a claim that was released', async () => {
    const { dispatch } = fixture()
    const claim = await dispatch.claim(0)
    await claim.release()
    expect(await claim.commit(tickOf(nextCheckpoint(claim), { runs: [sampleRun('a')] }))).toBe('fenced')
    expect(await fixture().committed()).toEqual([])
  })

  it('decides a race of commit and claim one way or the other, and the claim sees which', async () => {
    const { dispatch } = fixture()
    for (let partition = 0; partition < 20; partition++) {
      const old = await dispatch.claim(partition)
      const next = nextCheckpoint(old)
      const runs = [sampleRun(`race-${partition}`)]
      const early = partition % 2 === 0 ? dispatch.claim(partition) : undefined
      const commit = old.commit(tickOf(next, { runs }))
      const [outcome, later] = await Promise.all([commit, early ?? dispatch.claim(partition)])
      expect(later.checkpoint).toEqual(outcome === 'committed' ? next : null)
      const ids = await idsIn(fixture())
      expect(ids.includes(`race-${partition}`)).toBe(outcome === 'committed')
    }
  })
}

import { nextCheckpoint, sampleRun, tickOf } from '@almanac/engine/contracts/samples'
import { expect, it } from 'vitest'
import { openForTest } from './store.fixture.js'

const many = 5_000

it('tells each change of a run once while it is wanted, and forgets what all have had or is old', async () => {
  const { store, close } = openForTest()
  const { runFeed, runStore, dispatchLog } = store
  const claim = await dispatchLog.claim(0)
  const one = nextCheckpoint(claim)
  await claim.commit(tickOf(one, { runs: [sampleRun('unwanted')] }))
  runFeed.want(true)
  const two = nextCheckpoint({ term: claim.term, checkpoint: one })
  const runs = Array.from({ length: many }, (_, n) => sampleRun(`r${n}`))
  await claim.commit(tickOf(two, { runs }))
  const { queue, namespace } = sampleRun('x')
  const now = 10_000
  const request = { namespace, queue, max: 1_000, worker: 'w', leaseMs: 60_000, now }
  const leased = await runStore.lease(request)
  for (const { run, leaseToken } of leased) await runStore.ack(run.command.runId, leaseToken, now)
  const all = () => {
    const told: string[] = []
    for (let place = 0; ; ) {
      const page = runFeed.read(place, 700)
      told.push(...page.news.map(({ run }) => `${run.command.runId} ${run.status}`))
      if (page.news.length === 0) return { told, place }
      place = page.place
    }
  }
  const { told, place } = all()
  expect(told).toHaveLength(many + 2 * leased.length)
  expect(new Set(told).size).toBe(told.length)
  expect(told).not.toContain('unwanted queued')
  // What has ended before goes, whoever has not had it yet; what goes on stays.
  await runFeed.forget(0, now + 1)
  const left = all().told
  expect(left.every((text) => text.endsWith(' queued'))).toBe(true)
  expect(left.length).toBeGreaterThanOrEqual(many - leased.length)
  await runFeed.forget(place, 0)
  expect(all().told).toEqual([])
  await close()
})

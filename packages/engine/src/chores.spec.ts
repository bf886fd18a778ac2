import { expect, it } from 'vitest'
import { Chores } from './chores.js'
import { ManualClock } from './memory/manual-clock.js'
import { createStop } from './stop.js'

const jobs = async () => {
  for (let i = 0; i < 50; i += 1) await undefined
}

it('R16 a chore found again while its batch is still under way is done again', async () => {
  const clock = new ManualClock(0)
  const chores = new Chores(clock, () => {})
  const stop = createStop()
  let release = () => {}
  chores.add(
    'slow',
    () =>
      new Promise<void>((resolve) => {
        release = resolve
      }),
  )
  let done = 0
  chores.add('quarantine X', async () => {
    done += 1
  })
  const running = chores.run(stop)
  await jobs()
  expect(done).toBe(1)
  chores.add('quarantine X', async () => {
    done += 1
  }) // the state changed meanwhile: it is needed again
  release()
  await jobs()
  await clock.advance(5_000)
  stop.stop()
  await running
  expect(done).toBe(2)
})

it('R17 64 chores that always fail do not hold up the 65th', async () => {
  const clock = new ManualClock(0)
  const chores = new Chores(clock, () => {})
  const stop = createStop()
  for (let i = 0; i < 64; i += 1) chores.add(`bad ${i}`, () => Promise.reject(new Error('poison')))
  let done = false
  chores.add('good', async () => {
    done = true
  })
  const running = chores.run(stop)
  await clock.advance(60_000)
  stop.stop()
  await clock.advance(2_000)
  await running
  expect(done).toBe(true)
})
it('R18 a lease that fails leaves no listener behind', async () => {
  const { Intake } = await import('./intake/run-intake.js')
  const clock = new ManualClock(0)
  const runs = { lease: () => Promise.reject(new Error('disk full')) } as never
  const intake = new Intake({ runs, queue: runs, clock, stop: createStop() })
  for (let i = 0; i < 3; i += 1)
    await intake
      .lease({ namespace: 'n', queue: 'q', max: 1, waitMs: 10, worker: 'w', leaseMs: 1 })
      .catch(() => {})
  expect((intake as unknown as { waiting: Map<string, Set<unknown>> }).waiting.size).toBe(0)
})

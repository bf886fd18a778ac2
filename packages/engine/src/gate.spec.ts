import { expect, it } from 'vitest'
import { Gate } from './gate.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

it('lets in no more than it may, in the order of coming, and goes on after failures', async () => {
  const gate = new Gate(2)
  const ends: (() => void)[] = []
  const begun: number[] = []
  const most = { now: 0, ever: 0 }
  const jobs = Array.from({ length: 5 }, (_, n) =>
    gate.run(async () => {
      begun.push(n)
      most.now += 1
      most.ever = Math.max(most.ever, most.now)
      await new Promise<void>((resolve) => ends.push(resolve))
      most.now -= 1
      if (n === 1) throw new Error('one fails')
      return n
    }),
  )
  const outcomes = Promise.allSettled(jobs)
  await turn()
  expect(begun).toEqual([0, 1])
  for (const after of [
    [0, 1, 2],
    [0, 1, 2, 3],
    [0, 1, 2, 3, 4],
  ]) {
    ends.shift()?.()
    await turn()
    expect(begun).toEqual(after)
  }
  for (const end of ends) end()
  const settled = (await outcomes).map((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value : 'failed',
  )
  expect(settled).toEqual([0, 'failed', 2, 3, 4])
  expect(most.ever).toBe(2)
  expect(await gate.run(async () => 'free again')).toBe('free again')
})

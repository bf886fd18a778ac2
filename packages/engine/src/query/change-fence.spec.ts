import type { Checkpoint, PartitionId } from '@almanac/domain'
import { partitionOf } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../memory/manual-clock.js'
import { createStop } from '../stop.js'
import { ChangeFence } from './change-fence.js'

const partitions = 4
const taskId = '07000000-0000-8000-8000-000000000000'
const own = partitionOf(taskId, partitions)

function world() {
  const clock = new ManualClock(1_700_000_000_000)
  const positions = new Map<PartitionId, number>()
  let looks = 0
  const dispatchLog = {
    claim: () => Promise.reject(new Error('a fence claims nothing')),
    probe: () => Promise.reject(new Error('a fence probes nothing')),
    owner: () => null,
    seen: (partition: PartitionId) => {
      looks += 1
      const position = positions.get(partition)
      return position === undefined ? null : ({ position } as Checkpoint)
    },
  }
  const stop = createStop()
  const fence = new ChangeFence({ dispatchLog, clock, partitions, stop })
  const answered = (asked: Promise<boolean>) => {
    const answer: { value?: boolean; at?: number } = {}
    void asked.then((value) => Object.assign(answer, { value, at: clock.elapsed() }))
    return answer
  }
  return { clock, positions, fence, answered, stop, looks: () => looks }
}

describe('ChangeFence', () => {
  it('answers at once when a checkpoint has used the position already', async () => {
    const { clock, positions, fence } = world()
    positions.set(own, 7)
    expect(await fence.fenced([taskId], 7, 2_000)).toBe(true)
    expect(await fence.fenced([taskId], 6, 0)).toBe(true)
    expect(clock.elapsed()).toBe(0)
  })

  it('answers within a step of seeing the checkpoint, and not for an earlier position', async () => {
    const { clock, positions, fence, answered } = world()
    const answer = answered(fence.fenced([taskId], 7, 2_000))
    await clock.advance(300)
    positions.set(own, 6)
    await clock.advance(300)
    expect(answer).toEqual({})
    positions.set(own, 8)
    await clock.advance(100)
    expect(answer.value).toBe(true)
  })

  it('looks at the partition of the task alone', async () => {
    const { clock, positions, fence, answered } = world()
    for (const other of [0, 1, 2, 3]) if (other !== own) positions.set(other, 9)
    const answer = answered(fence.fenced([taskId], 7, 2_000))
    await clock.advance(1_000)
    expect(answer).toEqual({})
  })

  it('answers false when the time is over, and looks a last time then', async () => {
    const { clock, positions, fence, answered } = world()
    const late = answered(fence.fenced([taskId], 7, 2_000))
    await clock.advance(1_999)
    expect(late).toEqual({})
    await clock.advance(1)
    expect(late).toEqual({ value: false, at: 2_000 })
    const inTime = answered(fence.fenced([taskId], 7, 25))
    await clock.advance(24)
    positions.set(own, 7)
    await clock.advance(1)
    expect(inTime).toEqual({ value: true, at: 2_025 })
  })

  it('answers false at once when the node ends: a command must not hold it up', async () => {
    const { clock, fence, answered, stop } = world()
    const answer = answered(fence.fenced([taskId], 7, 30_000))
    await clock.advance(1_000)
    stop.stop()
    await clock.advance(0)
    expect(answer).toEqual({ value: false, at: 1_000 })
  })

  it('looks less and less often', async () => {
    const { clock, fence, looks } = world()
    void fence.fenced([taskId], 7, 60_000)
    await clock.advance(150)
    expect(looks()).toBe(5)
    await clock.advance(60_000)
    expect(looks()).toBeLessThan(610)
  })

  it('for several tasks waits for the last of their partitions, which need not come together', async () => {
    const { clock, positions, fence, answered } = world()
    const tasks = Array.from({ length: 40 }, (_, n) => `${n}-${taskId}`)
    expect(new Set(tasks.map((task) => partitionOf(task, partitions))).size).toBe(partitions)
    const answer = answered(fence.fenced(tasks, 7, 2_000))
    for (const partition of [2, 0, 3]) {
      positions.set(partition, 7)
      await clock.advance(200)
    }
    expect(answer).toEqual({})
    positions.set(1, 7)
    await clock.advance(100)
    expect(answer.value).toBe(true)
    expect(await fence.fenced(tasks, 7, 0)).toBe(true)
    expect(await fence.fenced(tasks, 8, 0)).toBe(false)
  })
})

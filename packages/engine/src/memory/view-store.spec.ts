import { describe, expect, it } from 'vitest'
import { sampleBatch, sampleSchedule, sampleTask } from '../ports/view-samples.contract.js'
import { viewStoreContract } from '../ports/view-store.contract.js'
import { memoryViewStore } from './view-store.js'

viewStoreContract('memory', async () => ({ views: memoryViewStore(), close: async () => {} }))

viewStoreContract('memory, a copy', async () => {
  const origin = memoryViewStore()
  const views = origin.clone()
  origin.apply(
    sampleBatch(9, {
      tasks: [sampleTask('a', { schedule: { ref: 'nightly' } })],
      schedules: [sampleSchedule('s')],
      markers: new Map([['default', { position: 9, at: 90 }]]),
    }),
  )
  return { views, close: async () => {} }
})

describe('a copy of the read models in memory', () => {
  const names = (views: ReturnType<typeof memoryViewStore>) =>
    views.listTasks('default', {}, { limit: 10 }).items.map(({ spec }) => spec.name)

  it('knows what its origin knew, and then both go their own ways', () => {
    const origin = memoryViewStore()
    origin.apply(sampleBatch(1, { tasks: [sampleTask('a', { name: 'one', schedule: { ref: 'r' } })] }))
    const copy = origin.clone()
    origin.apply(sampleBatch(2, { tasks: [sampleTask('a', { name: 'two' }), sampleTask('b')] }))
    copy.apply(
      sampleBatch(3, { tasks: [sampleTask('a', { name: 'three', enabled: false, schedule: { ref: 'r' } })] }),
    )
    expect(names(origin)).toEqual(['name of b', 'two'])
    expect(names(copy)).toEqual(['three'])
    expect([origin.taskAsOf('a', 1), copy.taskAsOf('a', 2)].map((state) => state?.spec.name)).toEqual([
      'one',
      'one',
    ])
    expect([origin, copy].map((views) => views.tasksUsing('default', 'r'))).toEqual([[], ['a']])
    expect([origin, copy].map((views) => views.plannable('', 9).length)).toEqual([2, 0])
    expect([origin, copy].map((views) => views.positionAt(1000))).toEqual([2, 3])
    expect([origin, copy].map((views) => views.counts().tasks)).toEqual([2, 1])
  })

  it('stays as it is when its origin goes on, and so does a copy of it', () => {
    const origin = memoryViewStore()
    origin.apply(sampleBatch(1, { tasks: [sampleTask('a')] }))
    const copies = [origin.clone(), origin.clone()]
    const later = copies[0]?.clone()
    origin.apply(sampleBatch(2, { tasks: [sampleTask('a', {}, { revision: 1 })] }))
    for (const copy of [...copies, later]) {
      expect(copy?.position()).toBe(1)
      expect(copy?.task('a')?.revision).toBe(0)
    }
  })
})

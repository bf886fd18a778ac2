import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DueIndex } from './due-index.js'

describe('DueIndex', () => {
  it('gives tasks in the order of due instant, then id', () => {
    const index = new DueIndex()
    index.set('b', 5)
    index.set('a', 5)
    index.set('c', 1)
    expect(index.take(10, 10).map((item) => item.taskId)).toEqual(['c', 'a', 'b'])
    expect(index.length).toBe(0)
  })

  it('agrees with a sorted list under any sequence of operations', () => {
    const operation = fc.oneof(
      fc.record({
        kind: fc.constant('set' as const),
        id: fc.integer({ min: 0, max: 60 }),
        at: fc.integer({ min: 0, max: 50 }),
      }),
      fc.record({ kind: fc.constant('remove' as const), id: fc.integer({ min: 0, max: 60 }) }),
      fc.record({
        kind: fc.constant('take' as const),
        now: fc.integer({ min: 0, max: 50 }),
        max: fc.integer({ min: 1, max: 9 }),
      }),
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const index = new DueIndex()
        const model = new Map<string, number>()
        const sorted = () => [...model].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1))
        for (const step of operations) {
          if (step.kind === 'set') {
            index.set(`t${step.id}`, step.at)
            model.set(`t${step.id}`, step.at)
          } else if (step.kind === 'remove') {
            index.remove(`t${step.id}`)
            model.delete(`t${step.id}`)
          } else {
            const expected = sorted()
              .filter(([, due]) => due <= step.now)
              .slice(0, step.max)
            expect(index.take(step.now, step.max)).toEqual(expected.map(([taskId, due]) => ({ taskId, due })))
            for (const [taskId] of expected) model.delete(taskId)
          }
          expect(index.length).toBe(model.size)
          expect(index.peek()).toBe(sorted()[0]?.[1])
          for (const [taskId, due] of model) expect(index.dueOf(taskId)).toBe(due)
        }
      }),
      { numRuns: 200 },
    )
  })
})

import { describe, expect, it } from 'vitest'
import { SimWorld, WorldFailure } from './index.js'

const world = (seed = 1) => new SimWorld({ seed })

describe('the world', () => {
  it('runs actions by time, and those of one instant in the order in which they were entered', async () => {
    const w = world()
    const order: string[] = []
    const at = (ms: number, name: string) => w.after(ms, () => order.push(`${name}@${w.now - w.start}`))
    at(20, 'c')
    at(10, 'a')
    at(10, 'b')
    at(10.5, 'b2')
    w.after(5, () => at(5, 'late a'))
    await w.runUntil(w.start + 30)
    expect(order).toEqual(['a@10', 'b@10', 'late a@10', 'b2@10', 'c@20'])
    expect(w.now).toBe(w.start + 30)
  })

  it('lets every promise chain settle before time moves, however long it is', async () => {
    const w = world()
    let seen = 0
    w.after(1, async () => {
      for (let n = 0; n < 1000; n++) await undefined
      seen = w.now
    })
    w.after(2, () => {})
    await w.runUntil(w.start + 5)
    expect(seen).toBe(w.start + 1)
  })

  it('runs nothing after the end', async () => {
    const w = world()
    let runs = 0
    w.after(10, () => (runs += 1))
    await w.runUntil(w.start + 9)
    expect(runs).toBe(0)
    await w.runUntil(w.start + 10)
    expect(runs).toBe(1)
  })

  it('fails the run, not the runner, by a rejection that nobody handles', async () => {
    const w = world()
    w.after(3, () => void Promise.reject(new Error('lost')))
    await expect(w.runUntil(w.start + 5)).rejects.toThrow(WorldFailure)
  })
})

import { describe, expect, it } from 'vitest'
import { Turns } from './turns.js'

describe('turns', () => {
  it('run work of one key one after the other, and of different keys side by side', async () => {
    const turns = new Turns()
    const log: string[] = []
    const work = (name: string) => async () => {
      log.push(`${name} begins`)
      await undefined
      log.push(`${name} ends`)
      return name
    }
    const answers = await Promise.all([
      turns.take('a', work('a1')),
      turns.take('a', work('a2')),
      turns.take('b', work('b1')),
    ])
    expect(answers).toEqual(['a1', 'a2', 'b1'])
    expect(log.indexOf('a1 ends')).toBeLessThan(log.indexOf('a2 begins'))
    expect(log.indexOf('b1 begins')).toBeLessThan(log.indexOf('a1 ends'))
  })

  it('go on after work that failed, and tell its caller only', async () => {
    const turns = new Turns()
    const failing = turns.take('a', () => Promise.reject(new Error('broken')))
    const next = turns.take('a', async () => 'fine')
    await expect(failing).rejects.toThrow('broken')
    expect(await next).toBe('fine')
  })

  it('refuse a queue without end', async () => {
    const turns = new Turns()
    const first = new Promise<void>(() => {})
    for (let n = 0; n < 10_000; n++) void turns.take('a', () => first)
    await expect(turns.take('a', async () => 1)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await turns.take('b', async () => 1)).toBe(1)
  })
})

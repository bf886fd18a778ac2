import { describe, expect, it } from 'vitest'
import { createStop } from './stop.js'

describe('a stop', () => {
  it('calls back once, in order, when it is stopped', () => {
    const stop = createStop()
    const calls: string[] = []
    stop.onStop(() => calls.push('a'))
    stop.onStop(() => calls.push('b'))
    expect(stop.stopped).toBe(false)
    stop.stop()
    stop.stop()
    expect(stop.stopped).toBe(true)
    expect(calls).toEqual(['a', 'b'])
  })

  it('calls back at once when it is stopped already', () => {
    const stop = createStop()
    stop.stop()
    let calls = 0
    stop.onStop(() => {
      calls += 1
    })()
    expect(calls).toBe(1)
  })

  it('takes a callback back, that one only', () => {
    const stop = createStop()
    let calls = 0
    const callback = () => {
      calls += 1
    }
    const takeBack = stop.onStop(callback)
    stop.onStop(callback)
    takeBack()
    takeBack()
    stop.stop()
    expect(calls).toBe(1)
  })

  it('lets a callback take another back, or add one', () => {
    const stop = createStop()
    const calls: string[] = []
    stop.onStop(() => {
      stop.onStop(() => calls.push('late'))
      calls.push('first')
    })
    stop.stop()
    expect(calls).toEqual(['late', 'first'])
  })
})

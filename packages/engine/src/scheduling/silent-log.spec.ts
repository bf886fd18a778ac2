import { beforeEach, describe, expect, it } from 'vitest'
import { every, MemoryNodes } from './memory-nodes.spec-support.js'

let nodes: MemoryNodes
beforeEach(() => {
  nodes = new MemoryNodes()
})

describe('an event log that has fallen silent', () => {
  it('is gone without for as long as one that refuses: then the partition is parked', async () => {
    const node = await nodes.start()
    await nodes.create(node, { schedule: every(5) })
    await nodes.clock.advance(12_000)
    const before = nodes.committed.length
    // As an adapter whose server does not answer: it gives up after its own time, which is longer than a tick's.
    nodes.headSilentMs = 5_000
    await nodes.clock.advance(25_000)
    expect(nodes.committed.length - before).toBe(5)
    await nodes.clock.advance(60_000)
    const parked = nodes.committed.length
    expect(parked - before).toBeLessThanOrEqual(7)
    nodes.headSilentMs = undefined
    await nodes.clock.advance(70_000)
    expect(nodes.committed.length).toBeGreaterThan(parked)
    expect(nodes.fatal).toEqual([])
  })

  it('is told by a node that owns nothing, and has no tick that would be stuck', async () => {
    const watcher = await nodes.start({ weight: 0 })
    await nodes.create(watcher, { schedule: every(5) })
    await nodes.clock.advance(1_000)
    expect(watcher.status()).toMatchObject({ ready: true, problem: null, partitions: [{ owner: null }] })
    nodes.headSilentMs = 1_000
    await nodes.create(watcher, { name: 'second', schedule: every(5) })
    await nodes.clock.advance(10_000)
    expect(watcher.status().problem).toBeNull()
    await nodes.clock.advance(20_000)
    expect(watcher.status().problem).toBe('the event log is out of reach')
    nodes.headSilentMs = undefined
    await nodes.clock.advance(5_000)
    expect(watcher.status().problem).toBeNull()
  })
})

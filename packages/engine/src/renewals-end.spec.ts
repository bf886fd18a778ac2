import { expect, it } from 'vitest'
import { MemoryNodes } from './scheduling/memory-nodes.spec-support.js'

it('a node whose renewals end in a broken invariant says so, and does not go on without them', async () => {
  const nodes = new MemoryNodes()
  const node = await nodes.start()
  expect(node.status().ready).toBe(true)
  nodes.renewalBug = new TypeError('a bug in the store')
  await nodes.clock.advance(10_000)
  expect(nodes.fatal).toEqual([nodes.renewalBug])
  expect(node.status().ready).toBe(false)
})

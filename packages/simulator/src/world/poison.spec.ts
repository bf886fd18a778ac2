import { describe, expect, it } from 'vitest'
import { SimProcess, SimWorld } from './index.js'

const real: Readonly<Record<string, () => unknown>> = {
  'Date.now': () => Date.now(),
  'new Date()': () => new Date(),
  'Date()': () => Date(),
  'Math.random': () => Math.random(),
  setTimeout: () => setTimeout(() => {}, 0),
  setInterval: () => clearInterval(setInterval(() => {}, 1000)),
  setImmediate: () => setImmediate(() => {}),
  'performance.now': () => performance.now(),
  'process.hrtime': () => process.hrtime(),
  'process.hrtime.bigint': () => process.hrtime.bigint(),
  'process.uptime': () => process.uptime(),
  'crypto.randomUUID': () => crypto.randomUUID(),
  'crypto.getRandomValues': () => crypto.getRandomValues(new Uint8Array(1)),
}

describe('real time and real chance', () => {
  it.each(Object.entries(real))('%s throws in a world, and works again afterwards', async (_name, use) => {
    const world = new SimWorld({ seed: 1 })
    const inAction: unknown[] = []
    const inPromise: unknown[] = []
    const attempt = (found: unknown[]) => {
      try {
        found.push(use())
      } catch (error) {
        found.push(error)
      }
    }
    world.after(1, async () => {
      attempt(inAction)
      await undefined
      attempt(inPromise)
    })
    await world.runFor(2)
    expect(inAction).toEqual([expect.objectContaining({ message: expect.stringContaining('in a world') })])
    expect(inPromise).toEqual(inAction)
    expect(use).not.toThrow()
  })

  it('are there for who shares the thread while a world runs', async () => {
    const world = new SimWorld({ seed: 1 })
    let isOver = false
    const running = world.runFor(10_000).then(() => {
      isOver = true
    })
    const process = new SimProcess(world, 'a')
    const spin = async () => {
      for (;;) await process.clock.sleep(1)
    }
    void spin()
    let between = 0
    await new Promise<void>((resolve) => {
      const look = () => {
        if (isOver) return resolve()
        between += Date.now() > 0 && new Date() > new Date(0) && Math.random() < 1 ? 1 : 0
        setImmediate(look)
      }
      look()
    })
    await running
    expect(between).toBeGreaterThan(10)
  })

  it('are left as they were', async () => {
    const shapes = () => [
      Date,
      ...[globalThis, Date, Math, performance, process, crypto].map((owner) =>
        ['setTimeout', 'setInterval', 'setImmediate', 'now', 'random', 'hrtime', 'uptime', 'randomUUID'].map(
          (name) => Object.getOwnPropertyDescriptor(owner, name),
        ),
      ),
    ]
    const before = shapes()
    await new SimWorld({ seed: 1 }).runFor(1)
    expect(shapes()).toEqual(before)
    const failing = new SimWorld({ seed: 1 })
    failing.after(0, () => {
      throw new Error('x')
    })
    await expect(failing.runFor(1)).rejects.toThrow('x')
    expect(shapes()).toEqual(before)
  })

  it('leave dates that are made from an instant alone', async () => {
    const world = new SimWorld({ seed: 1 })
    const seen: unknown[] = []
    world.after(1, () => {
      const date = new Date(86_400_000)
      seen.push(date.toISOString(), date instanceof Date, Date.UTC(1970, 0, 2), Object.getPrototypeOf(date))
    })
    await world.runFor(2)
    expect(seen).toEqual(['1970-01-02T00:00:00.000Z', true, 86_400_000, Date.prototype])
  })
})

import { describe, expect, it } from 'vitest'
import { SimProcess, SimWorld, WorldFailure } from './index.js'

const world = (seed = 1) => new SimWorld({ seed })

/** Some processes that call each other's services over bad links, and stop now and then. */
async function busyWorld(seed: number): Promise<SimWorld> {
  const w = world(seed)
  for (const name of ['a', 'b', 'c']) {
    Object.assign(w.network.link(name, 'shop'), { requestLoss: 0.2, duplication: 0.2, reordering: 0.2 })
    const process = new SimProcess(w, name)
    const work = async () => {
      for (;;) {
        await process.clock.sleep(10 + 50 * process.random.next())
        const options = { service: 'shop', label: 'buy', deadlineMs: 100, isWrite: true }
        await process.call(options, () => 'sold').catch(() => process.clock.sleep(30))
      }
    }
    void work()
  }
  await w.runFor(5_000)
  return w
}

describe('the agenda of the world', () => {
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

  it('keeps many actions in order', async () => {
    const w = world()
    const seen: number[] = []
    for (let n = 0; n < 2_000; n++) w.after(Math.floor(w.random.next() * 300), () => seen.push(w.time))
    await w.runFor(1_000)
    expect(seen).toHaveLength(2_000)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })

  it('runs nothing after the end, and goes on from there', async () => {
    const w = world()
    let runs = 0
    w.after(10, () => {
      runs += 1
    })
    await w.runUntil(w.start + 9)
    expect(runs).toBe(0)
    await w.runUntil(w.start + 10)
    expect(runs).toBe(1)
  })

  it('lets every promise chain settle before time moves, however long it is', async () => {
    const w = world()
    let seen = 0
    w.after(1, async () => {
      for (let n = 0; n < 1000; n++) await undefined
      seen = w.now
    })
    w.after(2, () => {})
    await w.runFor(5)
    expect(seen).toBe(w.start + 1)
  })

  it('lets what was started outside go as far as it can before time moves', async () => {
    const w = world()
    const process = new SimProcess(w, 'a')
    let woken = 0
    const started = async () => {
      for (let n = 0; n < 100; n++) await undefined
      await process.clock.sleep(1)
      woken = w.now
    }
    void started()
    await w.runFor(1)
    expect(woken).toBe(w.start + 1)
  })

  it('runs one action alone', async () => {
    const w = world()
    const seen: number[] = []
    w.after(5, () => seen.push(5))
    w.after(9, () => seen.push(9))
    expect(await w.step()).toBe(true)
    expect(seen).toEqual([5])
    expect([await w.step(), await w.step()]).toEqual([true, false])
  })

  it('does not run twice at once', async () => {
    const w = world()
    const first = w.runFor(10)
    await expect(w.runFor(10)).rejects.toThrow('running already')
    await first
  })
})

describe('the seed', () => {
  it('gives the same trace, counts and time again', async () => {
    const [first, again] = [await busyWorld(7), await busyWorld(7)]
    expect(again.traceHash()).toBe(first.traceHash())
    expect(again.tail()).toEqual(first.tail())
    expect([...again.counts]).toEqual([...first.counts])
    expect(first.actions).toBeGreaterThan(500)
  })

  it('gives another trace when it is another', async () => {
    const hashes = new Set<string>()
    for (let seed = 0; seed < 10; seed++) hashes.add((await busyWorld(seed)).traceHash())
    expect(hashes.size).toBe(10)
  })

  it('gives each name a chance of its own, whoever else draws', () => {
    const w = world()
    const first = w.fork('x').next()
    w.random.next()
    expect(w.fork('x').next()).toBe(first)
    expect(w.fork('y').next()).not.toBe(first)
    expect(world(2).fork('x').next()).not.toBe(first)
  })

  it('shows a change of time, of text and of order in the trace', async () => {
    const traced = async (...lines: readonly (readonly [number, string])[]) => {
      const w = world()
      for (const [ms, line] of lines) w.after(ms, () => w.trace(line))
      await w.runFor(10_000)
      return w.traceHash()
    }
    const hashes = [
      await traced([1, 'a'], [2, 'b']),
      await traced([1, 'a'], [3, 'b']),
      await traced([1, 'a'], [2, 'c']),
      await traced([1, 'b'], [2, 'a']),
      await traced([1, 'ab']),
      await traced([1, 'a']),
      await traced(),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})

describe('a failure of the run', () => {
  it('is a rejection that nobody handles', async () => {
    const w = world(77)
    w.after(3, () => {
      w.trace('the last thing')
      void Promise.reject(new Error('lost'))
    })
    const failure = await w.runFor(5).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(WorldFailure)
    expect(failure).toMatchObject({ seed: 77, message: expect.stringContaining('lost') })
    expect((failure as WorldFailure).tail).toEqual(['3.000 the last thing'])
  })

  it('is not a rejection that is handled', async () => {
    const w = world()
    w.after(3, () => {
      Promise.reject(new Error('seen')).catch(() => {})
    })
    await w.runFor(5)
  })

  it('is what an action throws', async () => {
    const w = world()
    w.after(3, () => {
      throw new Error('broken service')
    })
    await expect(w.runFor(5)).rejects.toThrow('seed 1, 2026-01-01T00:00:00.003Z: broken service')
  })

  it("is not the next world's", async () => {
    const w = world()
    w.after(3, () => {
      void Promise.reject(new Error('as well'))
      throw new Error('broken service')
    })
    await expect(w.runFor(5)).rejects.toThrow('broken service')
    await busyWorld(1)
  })

  it('is a loop without a wait', async () => {
    const w = world()
    const again = () => {
      w.schedule(0, again)
    }
    again()
    await expect(w.runFor(5)).rejects.toThrow('Time stands still')
  })

  it('leaves listeners for rejections as they were', async () => {
    const before = process.rawListeners('unhandledRejection')
    await busyWorld(1)
    expect(process.rawListeners('unhandledRejection')).toEqual(before)
  })
})

import { describe, expect, it } from 'vitest'
import { type LinkState, SimProcess, SimWorld } from './index.js'

/** A process and a service, and what each of them saw. */
function pair(link: Partial<LinkState> = {}, seed = 1) {
  const world = new SimWorld({ seed })
  const process = new SimProcess(world, 'a')
  const state = world.network.link('a', 'shop')
  Object.assign(state, link)
  const served: number[] = []
  const ended: (readonly [n: number, how: string, at: number])[] = []
  const send = (n: number, { isWrite = true, deadlineMs = 1_000, connection = '', takesMs = 0 } = {}) => {
    const serve = () => {
      served.push(n)
      if (takesMs === 0) return n
      return new Promise<number>((resolve) => world.after(takesMs, () => resolve(n)))
    }
    const note = (how: string) => ended.push([n, how, world.now - world.start])
    process.call({ service: 'shop', label: 'buy', deadlineMs, isWrite, connection }, serve).then(
      () => note('ok'),
      (fault: { code: string }) => note(fault.code),
    )
  }
  const hows = () => ended.map(([n, how]) => `${n} ${how}`)
  return { world, process, link: state, served, ended, send, hows, service: world.network.service('shop') }
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('a call', () => {
  it('takes a hop there, the time of the service, and a hop back', async () => {
    const { world, send, ended } = pair({ latencyMs: 10, jitterMs: 0 })
    send(1)
    send(2, { takesMs: 100, connection: 'other' })
    await world.runFor(1_000)
    expect(ended).toEqual([
      [1, 'ok', 20],
      [2, 'ok', 120],
    ])
  })

  it('brings back what the service throws', async () => {
    const { world, process } = pair()
    const options = { service: 'shop', label: 'buy', deadlineMs: 100, isWrite: true }
    const faults: unknown[] = []
    const note = (error: unknown) => faults.push(error)
    const atOnce = () => {
      throw new Error('at once')
    }
    process.call(options, atOnce).catch(note)
    process.call(options, () => Promise.reject(new Error('later'))).catch(note)
    await world.runFor(1_000)
    expect(faults).toEqual([new Error('at once'), new Error('later')])
  })

  it('is over at its deadline although the request still lands', async () => {
    const { world, send, served, ended } = pair({ latencyMs: 60, jitterMs: 0 })
    send(1, { deadlineMs: 50 })
    send(2, { deadlineMs: 50, isWrite: false })
    await world.runFor(55)
    expect(ended).toEqual([
      [1, 'outcome_unknown', 50],
      [2, 'unavailable', 50],
    ])
    expect(served).toEqual([])
    await world.runFor(1_000)
    expect(served).toEqual([1, 2])
    expect(ended).toHaveLength(2)
  })

  it('reaches a service later when that is slow', async () => {
    const { world, send, ended, service } = pair({ latencyMs: 1, jitterMs: 0 })
    service.slowMs = 200
    send(1)
    await world.runFor(1_000)
    expect(ended).toEqual([[1, 'ok', 202]])
  })
})

describe('a connection', () => {
  it('keeps the order, whatever the jitter', async () => {
    const { world, send, served, hows } = pair({ jitterMs: 100 })
    for (const n of numbers(50)) world.after(n, () => send(n))
    await world.runFor(1_000)
    expect(served).toEqual(numbers(50))
    expect(hows()).toEqual(numbers(50).map((n) => `${n} ok`))
  })

  it('is apart from another', async () => {
    const { world, send, served } = pair({ jitterMs: 100 })
    for (const n of numbers(50)) send(n, { connection: `connection ${n}` })
    await world.runFor(1_000)
    expect(served).not.toEqual(numbers(50))
    expect(served.toSorted((a, b) => a - b)).toEqual(numbers(50))
  })

  it('lets messages overtake when its link does so', async () => {
    const { world, send, served } = pair({ reordering: 0.3 })
    for (const n of numbers(50)) world.after(n, () => send(n))
    await world.runFor(5_000)
    expect(served).not.toEqual(numbers(50))
    expect(served.toSorted((a, b) => a - b)).toEqual(numbers(50))
  })
})

describe('a bad link', () => {
  it('loses requests: the service never hears of them', async () => {
    const { world, send, served, hows } = pair({ requestLoss: 1 })
    send(1)
    send(2, { isWrite: false })
    await world.runFor(5_000)
    expect(served).toEqual([])
    expect(hows()).toEqual(['1 outcome_unknown', '2 unavailable'])
    expect(world.counts.get('fault: request lost')).toBe(2)
  })

  it('loses answers: what was asked has been done', async () => {
    const { world, send, served, hows } = pair({ answerLoss: 1 })
    send(1)
    await world.runFor(5_000)
    expect(served).toEqual([1])
    expect(hows()).toEqual(['1 outcome_unknown'])
  })

  it('loses so many as its rate says', async () => {
    const { world, send, served } = pair({ requestLoss: 0.25 })
    for (const n of numbers(2_000)) send(n)
    await world.runFor(5_000)
    expect(served.length).toBeGreaterThan(1_400)
    expect(served.length).toBeLessThan(1_600)
  })

  it('doubles requests: they are done twice and answered once', async () => {
    const { world, send, served, hows } = pair({ duplication: 1 })
    send(1)
    await world.runFor(5_000)
    expect(served).toEqual([1, 1])
    expect(hows()).toEqual(['1 ok'])
  })

  it('holds messages back while it is clogged, and then lets them through in order', async () => {
    const { world, send, served, link, ended } = pair({ latencyMs: 5, jitterMs: 3 })
    for (const n of numbers(30)) world.after(n, () => send(n, { deadlineMs: 10_000 }))
    world.after(10, () => {
      link.cloggedUntil = world.start + 500
    })
    await world.runUntil(world.start + 499)
    expect(served.length).toBeGreaterThan(0)
    expect(served.length).toBeLessThan(10)
    const arrived = ended.length
    await world.runFor(1_000)
    expect(served).toEqual(numbers(30))
    expect(ended.slice(arrived).every(([, how, at]) => how === 'ok' && at >= 500)).toBe(true)
    expect(ended.map(([n]) => n)).toEqual(numbers(30))
  })

  it('keeps the order when a clog is cleared before its time', async () => {
    const { world, send, served, link } = pair({ latencyMs: 5, jitterMs: 3 })
    link.cloggedUntil = world.start + 400
    for (const n of numbers(30)) world.after(10 * n, () => send(n))
    world.after(100, () => world.network.heal())
    await world.runFor(350)
    expect(served).toEqual(numbers(30))
  })

  it('lets what is held back through soon when a clog is cleared before its time', async () => {
    const { world, send, hows, link } = pair()
    link.cloggedUntil = world.start + 60_000
    for (const n of numbers(5)) send(n)
    world.after(100, () => world.network.heal())
    await world.runFor(1_000)
    expect(hows()).toEqual(numbers(5).map((n) => `${n} ok`))
  })
})

describe('a cut link', () => {
  it('that refuses tells at once that nothing was done', async () => {
    const { world, send, served, ended } = pair({ cut: 'refused', latencyMs: 3, jitterMs: 0 })
    send(1)
    await world.runFor(1_000)
    expect(served).toEqual([])
    expect(ended).toEqual([[1, 'unavailable', 3]])
  })

  it('that is silent lets the caller wait for its deadline', async () => {
    const { world, send, served, ended } = pair({ cut: 'silent' })
    send(1)
    await world.runFor(1_000)
    expect(served).toEqual([])
    expect(ended).toEqual([[1, 'outcome_unknown', 1_000]])
  })

  it.each([
    ['refused', 'the request', 15, [], 30],
    ['refused', 'the answer', 5, [1], 15],
    ['silent', 'the request', 15, [], 1_000],
    ['silent', 'the answer', 5, [1], 1_000],
  ] as const)('%s, with %s on its way', async (cut, _what, latencyMs, done, at) => {
    const { world, send, served, ended, link } = pair({ latencyMs, jitterMs: 0 })
    send(1)
    world.after(8, () => {
      link.cut = cut
    })
    await world.runFor(1_000)
    expect(served).toEqual(done)
    expect(ended).toEqual([[1, 'outcome_unknown', at]])
  })

  it('works again when it is healed', async () => {
    const { world, send, hows } = pair({ cut: 'silent' })
    send(1, { deadlineMs: 10 })
    world.after(100, () => {
      world.network.heal()
      send(2)
    })
    await world.runFor(1_000)
    expect(hows()).toEqual(['1 outcome_unknown', '2 ok'])
  })
})

describe('a service that is down', () => {
  it('refuses connections', async () => {
    const { world, send, hows, service, served } = pair()
    service.isDown = true
    send(1)
    await world.runFor(100)
    expect(hows()).toEqual(['1 unavailable'])
    expect(served).toEqual([])
  })

  it('breaks those that are open: nobody knows what was done', async () => {
    const { world, send, hows, service, served } = pair({ latencyMs: 10, jitterMs: 0 })
    send(1)
    send(2, { takesMs: 50, connection: 'other', isWrite: false })
    world.after(5, () => {
      service.isDown = true
    })
    await world.runFor(50)
    expect(served).toEqual([])
    expect(hows()).toEqual(['1 outcome_unknown', '2 unavailable'])
  })

  it('never answers what an earlier life of it was asked', async () => {
    const { world, send, ended, service, served } = pair({ latencyMs: 10, jitterMs: 0 })
    send(1, { takesMs: 50 })
    world.after(30, () => {
      service.life += 1
    })
    await world.runFor(500)
    expect(served).toEqual([1])
    expect(ended).toEqual([[1, 'outcome_unknown', 70]])
  })
})

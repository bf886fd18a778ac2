import { describe, expect, it } from 'vitest'
import { faultNames, planFaults, possibleFaults } from './faults/nemesis.js'
import { optionsOf, WrongOption } from './options.js'

describe('the plan of a seed', () => {
  it('has every kind of fault in a short run, and in each round of a long one', () => {
    expect(
      planFaults(1, faultNames, 100_000, 10_000)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...faultNames].sort())
    const long = planFaults(1, faultNames, 3_600_000, 10_000)
    const rounds = long.length / faultNames.length
    expect(rounds).toBeGreaterThan(5)
    for (let round = 0; round < rounds; round += 1) {
      const names = long
        .slice(round * faultNames.length, (round + 1) * faultNames.length)
        .map(({ name }) => name)
      expect(new Set(names).size).toBe(faultNames.length)
    }
  })

  it('is the same each time, and another one for another seed', () => {
    expect(planFaults(7, faultNames, 100_000, 10_000)).toEqual(planFaults(7, faultNames, 100_000, 10_000))
    expect(planFaults(7, faultNames, 100_000, 10_000)).not.toEqual(planFaults(8, faultNames, 100_000, 10_000))
  })

  it('begins every strike within its span', () => {
    for (const { atMs } of planFaults(3, faultNames, 100_000, 10_000)) {
      expect(atMs).toBeGreaterThanOrEqual(0)
      expect(atMs).toBeLessThan(100_000)
    }
  })

  it('has nothing to do with the event log when that is a file', () => {
    const names = possibleFaults(false)
    expect(names).not.toContain('log-crash')
    expect(names).toContain('broker-crash')
  })
})

describe('options', () => {
  it('tell what to run, and how to run it once more', () => {
    const args = ['--seed', '4', '--seconds', '30', '--only', 'crash,leave', '--event-log', 'sqlite']
    expect(optionsOf(args)).toMatchObject({
      seed: 4,
      spanMs: 30_000,
      faults: ['crash', 'leave'],
      eventLog: 'sqlite',
      redis: 1,
      args,
    })
    const drawn = optionsOf([])
    expect(drawn).toMatchObject({ args: ['--seed', expect.stringMatching(/^\d+$/)] })
  })

  it.each([['--seed', 'x'], ['--redis', '2'], ['--only', 'nothing'], ['--event-log', 'paper'], ['--what']])(
    'refuse %s %s',
    (...args) => {
      expect(() => optionsOf(args)).toThrow(WrongOption)
    },
  )
})

import { describe, expect, it } from 'vitest'
import type { Random } from './clock.js'

export const randomContract = (name: string, factory: () => Random): void => {
  describe(`random: ${name}`, () => {
    it('draws numbers in [0, 1)', () => {
      const random = factory()
      for (let n = 0; n < 10_000; n++) {
        const drawn = random.next()
        expect(drawn >= 0 && drawn < 1).toBe(true)
      }
    })

    it('draws evenly: each tenth gets its share', () => {
      const random = factory()
      const tenths = Array.from({ length: 10 }, () => 0)
      for (let n = 0; n < 20_000; n++) {
        const tenth = Math.floor(random.next() * 10)
        tenths[tenth] = (tenths[tenth] ?? 0) + 1
      }
      // 2000 expected, standard deviation 42: twelve of them never happen by chance.
      for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(504)
    })

    it('makes tokens of the length asked for, in lower-case hex', () => {
      const random = factory()
      for (const bytes of [1, 8, 16, 33, 5000])
        expect(random.token(bytes)).toMatch(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
      expect(random.token(0)).toBe('')
    })

    it('does not repeat tokens', () => {
      const random = factory()
      expect(new Set(Array.from({ length: 2000 }, () => random.token(16))).size).toBe(2000)
    })
  })
}

import { digestOf } from '@almanac/domain'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { systemDigest } from './digest.js'

it('is the same function as the pure one, for whatever text', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.nat(0xffff).map(String.fromCharCode) }),
  )
  fc.assert(
    fc.property(text, (any) => {
      expect(systemDigest(any)).toBe(digestOf(any))
    }),
  )
  const long = 'ä\ud800\u{1d11e}'.repeat(100_000)
  expect(systemDigest(long)).toBe(digestOf(long))
})

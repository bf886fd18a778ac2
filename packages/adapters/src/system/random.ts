import { randomBytes } from 'node:crypto'
import type { Random } from '@almanac/engine'

const bits53 = 2 ** 53

/** Chance from the operating system: good for tokens that nobody may guess. */
export const systemRandom = (): Random => ({
  next: () => Number(randomBytes(8).readBigUInt64BE() >> 11n) / bits53,
  token: (bytes) => randomBytes(bytes).toString('hex'),
})

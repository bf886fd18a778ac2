import { randomFillSync } from 'node:crypto'
import type { Random } from '@almanac/engine'

/** Bytes fetched at once: a call to the operating system for each token costs more than the token. */
const poolBytes = 4096

/** Chance from the operating system: good for tokens that nobody may guess. */
export const systemRandom = (): Random => {
  const pool = Buffer.alloc(poolBytes)
  let used = poolBytes
  const take = (bytes: number): Buffer => {
    if (bytes > poolBytes) return randomFillSync(Buffer.alloc(bytes))
    if (used + bytes > poolBytes) {
      randomFillSync(pool)
      used = 0
    }
    used += bytes
    return pool.subarray(used - bytes, used)
  }
  return {
    next: () => {
      const bytes = take(8)
      return (bytes.readUInt32BE(0) * 2 ** 21 + (bytes.readUInt32BE(4) >>> 11)) / 2 ** 53
    },
    token: (bytes) => take(bytes).toString('hex'),
  }
}

const seed = 0x9747b28c
const m = 0x5bd1e995

/** The partition of a key, as Kafka's own clients pick it. */
export const partitionOf = (key: string, partitions: number): number =>
  (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions

function murmur2(bytes: Buffer): number {
  const { length } = bytes
  let h = seed ^ length
  let at = 0
  for (; at + 4 <= length; at += 4) {
    let k = Math.imul(bytes.readInt32LE(at), m)
    k ^= k >>> 24
    h = Math.imul(h, m) ^ Math.imul(k, m)
  }
  const left = length - at
  if (left === 3) h ^= (bytes[at + 2] as number) << 16
  if (left >= 2) h ^= (bytes[at + 1] as number) << 8
  if (left >= 1) h = Math.imul(h ^ (bytes[at] as number), m)
  h ^= h >>> 13
  h = Math.imul(h, m)
  return h ^ (h >>> 15)
}

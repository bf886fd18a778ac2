const polynomial = 0x82f63b78

/** Table n gives the checksum of a byte followed by n zero bytes, so that four bytes are taken at once. */
const tables = Array.from({ length: 4 }, () => new Uint32Array(256))
const [table0, table1, table2, table3] = tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array]

for (let byte = 0; byte < 256; byte++) {
  let sum = byte
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ polynomial : sum >>> 1
  table0[byte] = sum >>> 0
}
for (let byte = 0; byte < 256; byte++) {
  for (let n = 1; n < 4; n++) {
    const before = tables[n - 1]?.[byte] ?? 0
    const table = tables[n]
    if (table !== undefined) table[byte] = ((before >>> 8) ^ (table0[before & 0xff] ?? 0)) >>> 0
  }
}

/** The checksum of Kafka's record batches (Castagnoli). */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let sum = 0xffffffff
  let at = from
  for (; at + 4 <= to; at += 4) {
    const a = (bytes[at] as number) ^ (sum & 0xff)
    const b = (bytes[at + 1] as number) ^ ((sum >>> 8) & 0xff)
    const c = (bytes[at + 2] as number) ^ ((sum >>> 16) & 0xff)
    const d = (bytes[at + 3] as number) ^ (sum >>> 24)
    sum = (table3[a] as number) ^ (table2[b] as number) ^ (table1[c] as number) ^ (table0[d] as number)
  }
  for (; at < to; at++) sum = (sum >>> 8) ^ (table0[((bytes[at] as number) ^ sum) & 0xff] as number)
  return ~sum >>> 0
}

/** Reads and writes what Kafka's protocol is made of. Offsets and times are numbers: they stay below 2^53. */

/** Grows as it is written to. */
export class WireWriter {
  private bytes: Buffer
  private at = 0

  constructor(size = 1_024) {
    this.bytes = Buffer.allocUnsafe(size)
  }

  get length(): number {
    return this.at
  }

  /** What has been written: it is valid until more is. */
  get written(): Buffer {
    return this.bytes.subarray(0, this.at)
  }

  /** Begins again with the same bytes. */
  clear(): void {
    this.at = 0
  }

  int8(value: number): this {
    this.ensure(1)
    this.at = this.bytes.writeInt8(value, this.at)
    return this
  }

  int16(value: number): this {
    this.ensure(2)
    this.at = this.bytes.writeInt16BE(value, this.at)
    return this
  }

  int32(value: number): this {
    this.ensure(4)
    this.at = this.bytes.writeInt32BE(value, this.at)
    return this
  }

  uint32(value: number): this {
    this.ensure(4)
    this.at = this.bytes.writeUInt32BE(value, this.at)
    return this
  }

  int64(value: number): this {
    this.ensure(8)
    this.bytes.writeInt32BE(Math.floor(value / 2 ** 32), this.at)
    this.at = this.bytes.writeUInt32BE(value >>> 0, this.at + 4)
    return this
  }

  /** Zigzag; 32 bits. */
  varint(value: number): this {
    this.ensure(5)
    const { bytes } = this
    let at = this.at
    let left = ((value << 1) ^ (value >> 31)) >>> 0
    while (left > 0x7f) {
      bytes[at++] = (left & 0x7f) | 0x80
      left >>>= 7
    }
    bytes[at++] = left
    this.at = at
    return this
  }

  /** With its length before it, as a varint. */
  varText(text: string, byteLength: number): this {
    this.varint(byteLength)
    this.ensure(byteLength)
    this.at += this.bytes.write(text, this.at, byteLength, 'utf8')
    return this
  }

  /** With its length before it, in 16 bits; null has the length -1. */
  text(text: string | null): this {
    if (text === null) return this.int16(-1)
    const byteLength = Buffer.byteLength(text)
    this.int16(byteLength)
    this.ensure(byteLength)
    this.at += this.bytes.write(text, this.at, byteLength, 'utf8')
    return this
  }

  raw(part: Buffer): this {
    this.ensure(part.length)
    part.copy(this.bytes, this.at)
    this.at += part.length
    return this
  }

  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length)
    for (const item of items) write(item)
    return this
  }

  /** Writes over what stands there. */
  int32At(at: number, value: number): this {
    this.bytes.writeInt32BE(value, at)
    return this
  }

  uint32At(at: number, value: number): this {
    this.bytes.writeUInt32BE(value, at)
    return this
  }

  private ensure(count: number): void {
    if (this.at + count <= this.bytes.length) return
    const bigger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + count))
    this.bytes.copy(bigger, 0, 0, this.at)
    this.bytes = bigger
  }
}

export class WireReader {
  private readonly bytes: Buffer
  private at: number

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  int8(): number {
    this.at += 1
    return this.bytes.readInt8(this.at - 1)
  }

  int16(): number {
    this.at += 2
    return this.bytes.readInt16BE(this.at - 2)
  }

  int32(): number {
    this.at += 4
    return this.bytes.readInt32BE(this.at - 4)
  }

  int64(): number {
    this.at += 8
    return this.bytes.readInt32BE(this.at - 8) * 2 ** 32 + this.bytes.readUInt32BE(this.at - 4)
  }

  varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) throw new RangeError('A number ends before its last byte')
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new RangeError('A number is longer than 32 bits')
  }

  /** As a number: 53 bits of the 64 are enough for differences of times. */
  varlong(): number {
    let value = 0
    for (let factor = 1; factor < 2 ** 64; factor *= 128) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) throw new RangeError('A number ends before its last byte')
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
    throw new RangeError('A number is longer than 64 bits')
  }

  /** Null where the length is -1. */
  varText(): string | null {
    const length = this.varint()
    return length < 0 ? null : this.raw(length).toString('utf8')
  }

  text(): string {
    const length = this.int16()
    return length < 0 ? '' : this.raw(length).toString('utf8')
  }

  /** A part of the bytes, not a copy. */
  raw(length: number): Buffer {
    if (length > this.left) throw new RangeError('Text ends before its last byte')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  /** A length of -1 is an empty list. */
  list<T>(read: () => T): T[] {
    const length = this.int32()
    const items: T[] = []
    for (let index = 0; index < length; index++) items.push(read())
    return items
  }
}

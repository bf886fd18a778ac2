/** Writes the fields of Kafka's protocol in their old, not compact form. */
export class FieldWriter {
  private readonly parts: Buffer[] = []

  get bytes(): Buffer {
    return Buffer.concat(this.parts)
  }

  raw(bytes: Buffer): this {
    this.parts.push(bytes)
    return this
  }

  int8(value: number): this {
    const bytes = Buffer.alloc(1)
    bytes.writeInt8(value)
    return this.raw(bytes)
  }

  int16(value: number): this {
    const bytes = Buffer.alloc(2)
    bytes.writeInt16BE(value)
    return this.raw(bytes)
  }

  int32(value: number): this {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    return this.raw(bytes)
  }

  int64(value: number): this {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(BigInt(value))
    return this.raw(bytes)
  }

  /** A signed number in as few bytes as it takes. */
  varint(value: number): this {
    const bytes: number[] = []
    let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
    bytes.push(Number(rest))
    return this.raw(Buffer.from(bytes))
  }

  text(value: string | null): this {
    if (value === null) return this.int16(-1)
    const bytes = Buffer.from(value)
    return this.int16(bytes.length).raw(bytes)
  }

  block(bytes: Buffer): this {
    return this.int32(bytes.length).raw(bytes)
  }

  list<T>(items: readonly T[], write: (item: T, writer: this, index: number) => void): this {
    this.int32(items.length)
    for (const [index, item] of items.entries()) write(item, this, index)
    return this
  }
}

export class FieldReader {
  private readonly source: Buffer
  private at = 0

  constructor(source: Buffer) {
    this.source = source
  }

  get left(): number {
    return this.source.length - this.at
  }

  int8(): number {
    return this.source.readInt8(this.step(1))
  }

  int16(): number {
    return this.source.readInt16BE(this.step(2))
  }

  int32(): number {
    return this.source.readInt32BE(this.step(4))
  }

  int64(): number {
    return Number(this.source.readBigInt64BE(this.step(8)))
  }

  varint(): number {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.source.readUInt8(this.step(1))
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number((value >> 1n) ^ -(value & 1n))
    }
  }

  raw(length: number): Buffer {
    const from = this.step(length)
    return this.source.subarray(from, from + length)
  }

  text(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.raw(length).toString()
  }

  block(): Buffer {
    return this.raw(Math.max(0, this.int32()))
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }

  /** Where the next field begins, which it passes over. */
  private step(length: number): number {
    const from = this.at
    this.at += length
    return from
  }
}

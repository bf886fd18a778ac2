import { digestOf } from '@almanac/domain'

/**
 * A digest over everything that was decided, whatever the order: the same runs and skips give the same digest. Two
 * sums of 32 bits over mixed words, so that ten million runs cost no memory and little time.
 */
export class DecisionDigest {
  private readonly seeds: Int32Array
  private first = 0
  private second = 0
  private count = 0

  /** `ids`: what names each task. */
  constructor(ids: readonly string[]) {
    this.seeds = Int32Array.from(ids, (id) => Number.parseInt(digestOf(id).slice(0, 8), 16) | 0)
  }

  /** `kind`: a small number that tells runs and the reasons of skips apart. */
  add(task: number, kind: number, a: number, b: number): void {
    let x = (this.seeds[task] ?? 0) ^ Math.imul(kind + 1, 0x9e3779b1)
    x = mix(x ^ (a | 0))
    x = mix(x ^ Math.floor(a / 2 ** 32))
    x = mix(x ^ (b | 0))
    x = mix(x ^ Math.floor(b / 2 ** 32))
    this.first = (this.first + x) | 0
    this.second = (this.second + mix(x ^ 0x5bd1e995)) | 0
    this.count += 1
  }

  /** 16 hex digits. */
  result(): string {
    return digestOf(`${this.count}|${this.first}|${this.second}`).slice(0, 16)
  }
}

function mix(value: number): number {
  let x = value
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}

import { grainsPerMs } from './time.js'

/** What happened, as 64 bits and the last lines. */
export class Trace {
  private readonly keep: number
  private readonly lines: string[] = []
  private at = 0
  private low = 0x811c9dc5
  private high = 0x41c6ce57

  /** `keep`: how many of the last lines are kept to be shown. */
  constructor(keep: number) {
    this.keep = keep
  }

  add(time: number, what: string): void {
    const grains = time * grainsPerMs
    this.mix(grains >>> 0)
    this.mix(Math.floor(grains / 2 ** 32))
    let { low, high } = this
    for (let index = 0; index < what.length; index++) {
      const code = what.charCodeAt(index)
      low = Math.imul(low ^ code, 0x01000193)
      high = Math.imul(high ^ code, 0x5bd1e995)
      high ^= high >>> 15
    }
    this.low = low
    this.high = high
    if (this.keep === 0) return
    this.lines[this.at % this.keep] = `${time.toFixed(3)} ${what}`
    this.at += 1
  }

  /** Equal for equal traces. */
  digest(): string {
    return hex(this.low ^ (this.high >>> 7)) + hex(this.high)
  }

  /** The last lines, oldest first: true time since the start in ms, and what happened. */
  tail(): readonly string[] {
    if (this.at <= this.keep) return [...this.lines]
    const oldest = this.at % this.keep
    return [...this.lines.slice(oldest), ...this.lines.slice(0, oldest)]
  }

  private mix(word: number): void {
    this.low = Math.imul(this.low ^ word, 0x01000193)
    this.high = Math.imul(this.high ^ word, 0x5bd1e995)
    this.high ^= this.high >>> 13
  }
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')

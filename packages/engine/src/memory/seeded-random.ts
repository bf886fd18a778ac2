import type { Random } from '../ports/clock.js'

/**
 * Chance that is the same for the same seed: for tests and the simulator, never for tokens in production. The
 * generator is mulberry32: 32 bits of state, one multiplication chain a number.
 */
export class SeededRandom implements Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  next(): number {
    return this.word() / 2 ** 32
  }

  token(bytes: number): string {
    let text = ''
    for (let index = 0; index < bytes; index++) text += (this.word() >>> 24).toString(16).padStart(2, '0')
    return text
  }

  private word(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

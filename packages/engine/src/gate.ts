/** Lets so much work go on at a time; the rest waits its turn, first come, first served. */
export class Gate {
  private readonly limit: number
  private inside = 0
  private readonly waiting: (() => void)[] = []

  /** `limit`: at least 1. */
  constructor(limit: number) {
    this.limit = limit
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.inside >= this.limit) await new Promise<void>((enter) => this.waiting.push(enter))
    else this.inside += 1
    try {
      return await work()
    } finally {
      // Whoever is next takes over the place.
      const next = this.waiting.shift()
      if (next === undefined) this.inside -= 1
      else next()
    }
  }
}

import { unavailable } from '../ports/faults.js'

/** Longer queues than this mean that something is stuck; better to say so than to grow. */
const maxWaiting = 10_000

/**
 * Work of one key, one after the other, within this process. It spares conflicts, and nothing relies on it:
 * what keeps two writers apart is the expected revision.
 */
export class Turns {
  private readonly queues = new Map<string, { last: Promise<unknown>; length: number }>()

  /**
   * Runs `work` when everything before it with this key is done, well or badly. Answers what `work` answers.
   */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const queue = this.queues.get(key) ?? { last: Promise.resolve(), length: 0 }
    if (queue.length >= maxWaiting) throw unavailable(`${maxWaiting} commands wait for ${key}`)
    this.queues.set(key, queue)
    queue.length += 1
    const turn = queue.last.then(work)
    queue.last = turn.then(
      () => this.leave(key, queue),
      () => this.leave(key, queue),
    )
    return turn
  }

  private leave(key: string, queue: { length: number }): void {
    queue.length -= 1
    if (queue.length === 0) this.queues.delete(key)
  }
}

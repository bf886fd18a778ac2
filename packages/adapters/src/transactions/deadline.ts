import { type Clock, createStop } from '@almanac/engine'

export const tooLate = Symbol('too late')

/**
 * What the work comes to, or `tooLate` after `ms`. The work itself goes on then, and how it ends is nobody's concern
 * any more.
 */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | typeof tooLate> {
  const done = createStop()
  try {
    return await Promise.race([work, clock.sleep(Math.max(0, ms), done).then((): typeof tooLate => tooLate)])
  } finally {
    done.stop()
  }
}

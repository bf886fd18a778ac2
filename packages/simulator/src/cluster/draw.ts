import type { Random } from '@almanac/engine'

/** True with that probability. */
export const chance = (random: Random, probability: number): boolean => random.next() < probability

/** In [from, to). */
export const between = (random: Random, from: number, to: number): number =>
  from + random.next() * (to - from)

/** A whole number in [from, to], both included. */
export const whole = (random: Random, from: number, to: number): number =>
  from + Math.floor(random.next() * (to - from + 1))

/** One of them; throws when there is none. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random.next() * items.length)]
  if (item === undefined) throw new Error('there is nothing to pick from')
  return item
}

/** One of the keys, each in proportion to its weight. */
export function weighted<K extends string>(random: Random, weights: { readonly [key in K]: number }): K {
  const entries = Object.entries(weights) as [K, number][]
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0)
  let left = random.next() * total
  for (const [key, weight] of entries) {
    left -= weight
    if (left < 0) return key
  }
  return pick(random, entries)[0]
}

/** A waiting time with that mean, as between events that have nothing to do with each other. */
export const waiting = (random: Random, meanMs: number): number =>
  Math.max(1, Math.round(-meanMs * Math.log(1 - random.next())))

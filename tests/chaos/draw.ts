import { digestOf } from '@almanac/domain'
import { type Random, SeededRandom } from '@almanac/engine'

/** A chance of its own for one part of a seed: what the part draws disturbs no other. */
export const randomOf = (seed: number, part: string): Random =>
  new SeededRandom(Number.parseInt(digestOf(`chaos|${seed}|${part}`).slice(0, 8), 16))

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
  let left = random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [key, weight] of entries) {
    left -= weight
    if (left < 0) return key
  }
  return pick(random, entries)[0]
}

/** The same items in another order. */
export function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

import { digestOf } from '@almanac/domain'

/** A number in [0, 1) for a seed and what it is drawn for: no draw disturbs another. */
export const drawn = (seed: number, what: string): number =>
  Number.parseInt(digestOf(`forecast|${seed}|${what}`).slice(0, 12), 16) / 2 ** 48

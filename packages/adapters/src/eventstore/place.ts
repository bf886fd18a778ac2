/** Positions and revisions of the store are 64 bits wide; ours are numbers (ADR 0010). */

const surelySafeDigits = 15

/** What the server sends for "not known": 2^64 - 1. */
const unknownPlace = `${2n ** 64n - 1n}`

/** A place that was rounded would make a checkpoint lie: a broken invariant, and not a fault to be retried. */
export class PlaceTooLarge extends Error {
  constructor(text: string) {
    super(
      `The event store is at ${text}, which is beyond 2^53 - 1: this program can't tell such places apart.`,
    )
    this.name = 'PlaceTooLarge'
  }
}

export function placeOf(text: string): number {
  const place = Number(text)
  if (text.length > surelySafeDigits && !Number.isSafeInteger(place)) throw new PlaceTooLarge(text)
  return place
}

/** Undefined when the server does not say. */
export const knownPlaceOf = (text: string): number | undefined =>
  text === unknownPlace || text === '' ? undefined : placeOf(text)

import { visible } from './text.js'

export interface Difference {
  readonly path: string
  /** Undefined: not there before. */
  readonly from: unknown
  /** Undefined: gone. */
  readonly to: unknown
}

/** A value on one line: text as it is when nothing could be mistaken, else JSON; nothing is `none`. */
export const valueText = (value: unknown): string => {
  if (value === undefined || value === null || value === '') return 'none'
  if (typeof value === 'string' && /^\S(.*\S)?$/.test(value) && value !== 'none') return visible(value)
  return visible(JSON.stringify(value))
}

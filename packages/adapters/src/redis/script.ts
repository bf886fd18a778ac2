import { createHash } from 'node:crypto'

/** A Lua script and the name by which a server knows it. */
export interface Script {
  readonly text: string
  readonly hash: string
}

export const script = (text: string): Script => ({
  text,
  hash: createHash('sha1').update(text).digest('hex'),
})

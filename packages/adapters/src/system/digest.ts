import { hash } from 'node:crypto'
import type { Digest } from '@almanac/domain'

/** `digestOf` by the machine's own code: about ten times as fast. */
export const systemDigest: Digest = (text) => hash('sha256', text, 'hex')

import { tombstoneRevision } from './record.js'

/** What the newest event of `$$<stream>` says of a stream, as far as the double keeps it. */
export interface StreamMetadata {
  readonly maxCount?: number
  /** Seconds. */
  readonly maxAge?: number
  /** Events before this revision are gone. */
  readonly truncateBefore?: number
  readonly readRoles?: readonly string[]
  readonly writeRoles?: readonly string[]
}

const numberIn = (json: Record<string, unknown>, key: string): number | undefined => {
  const value = json[key]
  return typeof value === 'number' && value >= 0 ? value : undefined
}

const rolesIn = (json: unknown, key: string): readonly string[] | undefined => {
  const value = typeof json === 'object' && json !== null ? (json as Record<string, unknown>)[key] : undefined
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.map(String) : undefined
}

/** Metadata that can't be read says nothing, as in the server. */
export function parseStreamMetadata(data: Uint8Array): StreamMetadata {
  try {
    const json = JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>
    const maxCount = numberIn(json, '$maxCount')
    const maxAge = numberIn(json, '$maxAge')
    const truncateBefore = numberIn(json, '$tb')
    const readRoles = rolesIn(json.$acl, '$r')
    const writeRoles = rolesIn(json.$acl, '$w')
    return {
      ...(maxCount === undefined ? {} : { maxCount }),
      ...(maxAge === undefined ? {} : { maxAge }),
      ...(truncateBefore === undefined ? {} : { truncateBefore }),
      ...(readRoles === undefined ? {} : { readRoles }),
      ...(writeRoles === undefined ? {} : { writeRoles }),
    }
  } catch {
    return {}
  }
}

export const isSoftDeleted = ({ truncateBefore }: StreamMetadata): boolean =>
  truncateBefore !== undefined && truncateBefore >= tombstoneRevision

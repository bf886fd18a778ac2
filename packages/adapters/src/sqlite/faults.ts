import { PortFault, storageFull, unavailable } from '@almanac/engine'

/** What a failed SQLite call means for the caller. The primary result code is the low byte of the extended one. */
export type Failure = 'full' | 'busy' | 'broken' | 'other'

const primary = { readOnly: 8, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 }
const busy = 5
const broken = new Set<number>([
  primary.readOnly,
  primary.ioError,
  primary.corrupt,
  primary.cantOpen,
  primary.notADatabase,
])

export const sqliteCodeOf = (error: unknown): number | undefined => {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}

/** `broken`: the file or the disk can't be trusted any more; the process must stop. */
export const failureOf = (error: unknown): Failure => {
  const code = sqliteCodeOf(error)
  if (code === undefined) return 'other'
  const kind = code & 0xff
  if (kind === primary.full) return 'full'
  if (kind === busy) return 'busy'
  return broken.has(kind) ? 'broken' : 'other'
}

/** The port fault for a call that surely wrote nothing. */
export const faultOf = (error: unknown): Error => {
  if (error instanceof PortFault) return error
  const failure = failureOf(error)
  if (failure === 'full') return storageFull('The disk is full: nothing was written.', error)
  if (failure === 'busy') return unavailable('The database file is locked by another process.', error)
  if (failure === 'broken') return unavailable('The database file can not be read or written.', error)
  return error instanceof Error ? error : new Error(String(error))
}

/** Runs a read; whatever SQLite throws leaves as a port fault. */
export const reading = <T>(read: () => T): T => {
  try {
    return read()
  } catch (error) {
    throw faultOf(error)
  }
}

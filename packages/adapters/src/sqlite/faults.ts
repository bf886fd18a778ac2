import { PortFault, storageFull, unavailable } from '@almanac/engine'

/** What a failed SQLite call means for the caller. */
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

/** What SQLite says for the codes above: `prepare` of this driver throws without a code. */
const codeOfMessage: ReadonlyMap<string, number> = new Map([
  ['database is locked', busy],
  ['attempt to write a readonly database', primary.readOnly],
  ['disk I/O error', primary.ioError],
  ['database disk image is malformed', primary.corrupt],
  ['database or disk is full', primary.full],
  ['unable to open database file', primary.cantOpen],
  ['file is not a database', primary.notADatabase],
])

/** SQLite's result code, without the extension in the upper bytes; undefined for any other error. */
const codeOf = (error: unknown): number | undefined => {
  if (!(error instanceof Error)) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff
  return codeOfMessage.get(error.message)
}

/** True when SQLite found that a file is damaged, or none of its own. */
export const isDamage = (error: unknown): error is Error => {
  const code = codeOf(error)
  return code === primary.corrupt || code === primary.notADatabase
}

/** `broken`: the file or the disk can't be trusted any more; the process must stop. */
export const failureOf = (error: unknown): Failure => {
  const code = codeOf(error)
  if (code === undefined) return 'other'
  if (code === primary.full) return 'full'
  if (code === busy) return 'busy'
  return broken.has(code) ? 'broken' : 'other'
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

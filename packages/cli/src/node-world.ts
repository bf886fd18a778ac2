import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@almanac/adapters/system'
import { refused } from './failure.js'
import { paintFor, type Screen, type Stop, type World, wantsColour } from './world.js'

const screen = (stream: NodeJS.WriteStream, env: World['env']): Screen => ({
  write: (text) => {
    stream.write(text)
  },
  isTerminal: stream.isTTY === true,
  // Read anew each time: people resize their terminals while something runs.
  get columns() {
    return stream.isTTY === true ? Math.max(20, stream.columns) : Number.POSITIVE_INFINITY
  },
  paint: paintFor(wantsColour(env, stream.isTTY === true)),
})

/** V8 holds no longer text; `dumpdata` writes about 700 bytes for a task. */
const maxFileBytes = 500_000_000

const readText = async (path: string): Promise<string> => {
  try {
    if (path === '-')
      throw refused('Reading from a pipe is not supported.', { hint: 'Give the name of a file.' })
    const { size } = await stat(path)
    if (size > maxFileBytes) throw refused(`${path} has more than ${maxFileBytes / 1e6} MB.`)
    return await readFile(path, 'utf8')
  } catch (fault) {
    const code: unknown = fault instanceof Error ? Reflect.get(fault, 'code') : undefined
    if (code === 'ENOENT') throw refused(`There is no file ${path}.`)
    if (code === 'EISDIR') throw refused(`${path} is a folder, not a file.`)
    if (code === 'EACCES') throw refused(`${path} may not be read.`)
    throw fault
  }
}

const filesIn = async (path: string, endings: readonly string[]): Promise<readonly string[]> => {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw refused(`There is no file or folder ${path}.`)
  if (!found.isDirectory()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

const writeText = async (path: string, text: string): Promise<void> => {
  try {
    await writeFile(path, text)
  } catch (fault) {
    const code: unknown = fault instanceof Error ? Reflect.get(fault, 'code') : undefined
    if (code === 'ENOENT') throw refused(`There is no folder for ${path}.`)
    if (code === 'EISDIR') throw refused(`${path} is a folder, not a file.`)
    if (code === 'EACCES' || code === 'EROFS') throw refused(`${path} may not be written.`)
    throw fault
  }
}

const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    // A user id without an entry in the password file, as in containers.
    return 'unknown'
  }
}

/** Ctrl-C and SIGTERM as a stop signal: the first asks to end, the second ends at once. */
const signals = (process: NodeJS.Process): { stop: Stop; claim: () => void } => {
  const callbacks = new Set<() => void>()
  let claimed = false
  let stopped = false
  const onSignal = (code: number) => () => {
    if (!claimed || stopped) process.exit(code)
    stopped = true
    for (const callback of callbacks) callback()
  }
  process.on('SIGINT', onSignal(130))
  process.on('SIGTERM', onSignal(143))
  const stop: Stop = {
    get stopped() {
      return stopped
    },
    onStop: (callback) => {
      if (stopped) {
        callback()
        return () => undefined
      }
      callbacks.add(callback)
      return () => callbacks.delete(callback)
    },
  }
  return {
    stop,
    claim: () => {
      claimed = true
    },
  }
}

/** This process, its terminal and its clock. */
export const nodeWorld = (process: NodeJS.Process): World => {
  const { stop, claim } = signals(process)
  return {
    env: process.env,
    user: userName(),
    out: screen(process.stdout, process.env),
    err: screen(process.stderr, process.env),
    clock: systemClock(),
    stop,
    claimStop: claim,
    readText,
    filesIn,
    writeText,
    serve: async (args) => (await import('@almanac/standalone')).serve(process, args),
  }
}

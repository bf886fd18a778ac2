import { createHash } from 'node:crypto'
import { closeSync, constants, fdatasync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { syncFolder } from './database.js'

/** Where the main file stood after a commit. */
export interface Head {
  /** Drawn when a log is created, and again when a loss is accepted. */
  readonly logId: string
  /** How many transactions have been committed. */
  readonly commits: number
  /** Position of the newest event. */
  readonly position: number
  /** The running hash over all events up to it. */
  readonly chain: string
}

export type StoredHead = Head | 'missing' | 'damaged'

/** One slot on a page of its own, so that writing one can not tear the other. */
const slotBytes = 4096
const slotCount = 2

const checksumOf = (text: string) => createHash('sha256').update(text).digest('hex')

const encode = (head: Head): Buffer => {
  const text = JSON.stringify([head.logId, head.commits, head.position, head.chain])
  const slot = Buffer.alloc(slotBytes, 0x20)
  slot.write(`${checksumOf(text)} ${text}\n`, 'utf8')
  slot[slotBytes - 1] = 0x0a
  return slot
}

const decode = (slot: Buffer): Head | undefined => {
  const line = slot.toString('utf8').split('\n', 1)[0] ?? ''
  const text = line.slice(65)
  if (line.length < 66 || checksumOf(text) !== line.slice(0, 64)) return undefined
  const [logId, commits, position, chain] = JSON.parse(text) as [string, number, number, string]
  return { logId, commits, position, chain }
}

/**
 * The head of the log, kept apart from it. SQLite drops a damaged tail of its WAL without a word (a flipped
 * bit loses every later commit, and its integrity check still says ok), so what was acknowledged last is
 * written down here too: after each group commit, before anybody is answered.
 *
 * Two slots are written in turn: a write that is torn by a crash leaves the other, one commit older.
 */
export class HeadFile {
  readonly #descriptor: number
  #next: number

  private constructor(descriptor: number, next: number) {
    this.#descriptor = descriptor
    this.#next = next
  }

  static read(path: string): StoredHead {
    let descriptor: number
    try {
      descriptor = openSync(path, 'r')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'missing'
      throw error
    }
    try {
      return newest(descriptor)?.head ?? 'damaged'
    } finally {
      closeSync(descriptor)
    }
  }

  /**
   * Opens the file for writing, and makes it if need be. Its size never changes later: a full disk does not
   * stop it.
   */
  static open(path: string): HeadFile {
    const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    const found = newest(descriptor)
    if (found === undefined) {
      writeSync(descriptor, Buffer.alloc(slotBytes * slotCount, 0x20), 0, slotBytes * slotCount, 0)
      fsyncSync(descriptor)
      syncFolder(path)
    }
    return new HeadFile(descriptor, found === undefined ? 0 : 1 - found.slot)
  }

  /** Durable when it resolves. Calls must not overlap. */
  write(head: Head): Promise<void> {
    this.#put(head)
    return new Promise((resolve, reject) =>
      fdatasync(this.#descriptor, (error) => (error === null ? resolve() : reject(error))),
    )
  }

  /** Durable when it returns. */
  writeNow(head: Head): void {
    this.#put(head)
    fsyncSync(this.#descriptor)
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #put(head: Head): void {
    const written = writeSync(this.#descriptor, encode(head), 0, slotBytes, this.#next * slotBytes)
    if (written !== slotBytes) throw new Error(`The head file took ${written} of ${slotBytes} bytes.`)
    this.#next = 1 - this.#next
  }
}

const newest = (descriptor: number): { slot: number; head: Head } | undefined => {
  let best: { slot: number; head: Head } | undefined
  for (let slot = 0; slot < slotCount; slot++) {
    const bytes = Buffer.alloc(slotBytes)
    if (readSync(descriptor, bytes, 0, slotBytes, slot * slotBytes) !== slotBytes) continue
    const head = decode(bytes)
    if (head !== undefined && (best === undefined || head.commits > best.head.commits)) best = { slot, head }
  }
  return best
}

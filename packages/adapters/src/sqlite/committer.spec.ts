import { join } from 'node:path'
import { PortFault } from '@almanac/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Committer } from './committer.js'
import { type Database, openDatabase, scalar } from './database.js'
import { type Head, HeadFile } from './head-file.js'
import { mainMigrations } from './schema.js'
import { removeFolder, temporaryFolder } from './store.fixture.js'

let folder: string
let database: Database
let heads: Head[]
let fatal: Error[]

beforeEach(() => {
  folder = temporaryFolder()
  database = openDatabase({
    path: join(folder, 'almanac.db'),
    durability: 'full',
    migrations: [...mainMigrations, 'CREATE TABLE notes(note TEXT PRIMARY KEY) STRICT'],
    check: 'none',
    readOnly: false,
  })
  database.exec("INSERT INTO head VALUES (1, 'log', 0)")
  heads = []
  fatal = []
})

afterEach(() => {
  database.close()
  removeFolder(folder)
})

/** A head file that notes what it is given, or fails as a bad disk does. */
const headFile = (write: (head: Head) => Promise<void> = async () => {}): HeadFile => {
  const file = HeadFile.open(join(folder, 'almanac.head'))
  file.write = async (head) => {
    await write(head)
    heads.push(head)
  }
  return file
}

const committerOn = (on: Database = database, file = headFile()) =>
  new Committer(on, file, (error) => fatal.push(error))

const noteDown = (note: string) => () => database.prepare('INSERT INTO notes VALUES (?)').run(note).changes
const notes = () =>
  (database.prepare('SELECT note FROM notes ORDER BY note').all() as { note: string }[]).map(
    ({ note }) => note,
  )
const commits = () => scalar(database, 'SELECT commits FROM head')

/** The database with one statement that fails like a broken disk. */
const failing = (sql: string, errcode: number): Database =>
  new Proxy(database, {
    get(target, property) {
      if (property === 'isTransaction') return target.isTransaction
      return (text: string) => {
        const statement = target.prepare(text)
        if (text !== sql) return statement
        const run = () => {
          throw Object.assign(new Error('disk I/O error'), { errcode })
        }
        return { run, get: run, all: run }
      }
    },
  })

const codeOf = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof PortFault ? error.code : error
}

describe('a group', () => {
  it('is one commit for all that is handed in during one turn', async () => {
    const committer = committerOn()
    const all = Array.from({ length: 100 }, (_, n) => committer.submit(noteDown(`n${n}`)))
    expect(await Promise.all(all)).toEqual(Array.from({ length: 100 }, () => 1))
    expect(commits()).toBe(1)
    expect(heads).toEqual([{ logId: 'log', commits: 1, position: 0, chain: '' }])
  })

  it('is answered only when the head is durable', async () => {
    let release = () => {}
    const written = new Promise<void>((resolve) => {
      release = resolve
    })
    let reached = () => {}
    const reaching = new Promise<void>((resolve) => {
      reached = resolve
    })
    const committer = committerOn(
      database,
      headFile(() => {
        reached()
        return written
      }),
    )
    let answered = false
    const one = committer.submit(noteDown('a')).then(() => {
      answered = true
    })
    await reaching
    expect(notes()).toEqual(['a'])
    expect(answered).toBe(false)
    release()
    await one
    expect(answered).toBe(true)
  })

  it('takes in what comes while another is being made durable', async () => {
    const later: Promise<unknown>[] = []
    const committer: Committer = committerOn(
      database,
      headFile(async () => {
        if (later.length === 0) later.push(...['b', 'c', 'd'].map((note) => committer.submit(noteDown(note))))
      }),
    )
    await committer.submit(noteDown('a'))
    await Promise.all(later)
    expect(heads.map((head) => head.commits)).toEqual([1, 2])
    expect(notes()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('is cut at five hundred operations', async () => {
    const committer = committerOn()
    await Promise.all(Array.from({ length: 1001 }, (_, n) => committer.submit(noteDown(`n${n}`))))
    expect(commits()).toBe(3)
    expect(notes()).toHaveLength(1001)
  })

  it('that changes nothing is not committed', async () => {
    const committer = committerOn()
    expect(await committer.submit(() => notes().length)).toBe(0)
    expect(commits()).toBe(0)
    expect(heads).toEqual([])
  })

  it('is announced to listeners until they take that back', async () => {
    const committer = committerOn()
    let told = 0
    const forget = committer.onCommitted(() => {
      told += 1
    })
    await committer.submit(noteDown('a'))
    await committer.submit(() => 'a read')
    expect(told).toBe(1)
    forget()
    await committer.submit(noteDown('b'))
    expect(told).toBe(1)
  })
})

describe('an operation that throws', () => {
  it('fails alone and leaves nothing, also what it wrote before', async () => {
    const committer = committerOn()
    const bad = committer.submit(() => {
      noteDown('half')()
      throw new Error('on second thought')
    })
    const results = await Promise.allSettled([
      committer.submit(noteDown('a')),
      bad,
      committer.submit(noteDown('a')),
      committer.submit(noteDown('b')),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    await expect(bad).rejects.toThrow('on second thought')
    expect(notes()).toEqual(['a', 'b'])
    expect(fatal).toEqual([])
  })
})

describe('a full disk', () => {
  it('fails what did not fit, leaves nothing of it, and writing goes on when there is space', async () => {
    const committer = committerOn()
    await committer.submit(noteDown('before'))
    const pages = Number(scalar(database, 'PRAGMA page_count'))
    scalar(database, `PRAGMA max_page_count = ${pages + 2}`)
    const big = committer.submit(noteDown('x'.repeat(100_000)))
    const neighbour = committer.submit(noteDown('neighbour'))
    expect([await codeOf(big), await codeOf(neighbour)]).toEqual(['storage_full', 'storage_full'])
    expect(notes()).toEqual(['before'])
    expect(commits()).toBe(1)
    scalar(database, `PRAGMA max_page_count = ${pages + 1000}`)
    await committer.submit(noteDown('x'.repeat(100_000)))
    expect(notes()).toHaveLength(2)
    expect(heads.map((head) => head.commits)).toEqual([1, 2])
    expect(fatal).toEqual([])
  })
})

describe('a disk that fails', () => {
  const ioErrorFsync = 10 | (4 << 8)

  it('at the commit: nobody knows, and nothing is written any more', async () => {
    const committer = committerOn(failing('COMMIT', ioErrorFsync))
    const both = [committer.submit(noteDown('a')), committer.submit(noteDown('b'))]
    expect(await Promise.all(both.map(codeOf))).toEqual(['outcome_unknown', 'outcome_unknown'])
    expect(fatal).toHaveLength(1)
    expect(await codeOf(committer.submit(noteDown('c')))).toBe('unavailable')
    expect(fatal).toHaveLength(1)
  })

  it('at the head file: committed but not acknowledged, and nothing is written any more', async () => {
    const broken = headFile(() => Promise.reject(new Error('EIO')))
    const committer = committerOn(database, broken)
    expect(await codeOf(committer.submit(noteDown('a')))).toBe('outcome_unknown')
    expect(await codeOf(committer.submit(noteDown('b')))).toBe('unavailable')
    expect(notes()).toEqual(['a'])
    expect(fatal).toHaveLength(1)
  })

  it('at a checkpoint: what was acknowledged stays so, then nothing is written any more', async () => {
    const committer = committerOn(failing('PRAGMA wal_checkpoint(PASSIVE)', ioErrorFsync))
    const big = 'x'.repeat(4000)
    for (let n = 0; fatal.length === 0 && n < 50; n++) {
      await Promise.all(Array.from({ length: 200 }, (_, m) => committer.submit(noteDown(`${n}-${m}-${big}`))))
    }
    expect(fatal).toHaveLength(1)
    expect(await codeOf(committer.submit(noteDown('b')))).toBe('unavailable')
  })

  it('in the middle of an operation: nothing was written', async () => {
    const committer = committerOn()
    const bad = committer.submit(() => {
      throw Object.assign(new Error('database disk image is malformed'), { errcode: 11 })
    })
    const neighbour = committer.submit(noteDown('a'))
    expect([await codeOf(bad), await codeOf(neighbour)]).toEqual(['unavailable', 'unavailable'])
    expect(notes()).toEqual([])
    expect(fatal).toHaveLength(1)
  })
})

describe('close', () => {
  it('finishes what was handed in and refuses what comes later', async () => {
    const committer = committerOn()
    const before = committer.submit(noteDown('a'))
    await committer.close()
    expect(await before).toBe(1)
    expect(await codeOf(committer.submit(noteDown('b')))).toBe('unavailable')
    expect(notes()).toEqual(['a'])
  })
})

describe('the WAL', () => {
  it('is copied into the file before it grows without end', async () => {
    const committer = committerOn()
    const big = 'x'.repeat(4000)
    for (let n = 0; n < 60; n++) {
      await Promise.all(Array.from({ length: 100 }, (_, m) => committer.submit(noteDown(`${n}-${m}-${big}`))))
    }
    const { log } = database.prepare('PRAGMA wal_checkpoint(NOOP)').get() as { log: number }
    expect(notes()).toHaveLength(6000)
    expect(log).toBeLessThan(8000)
  })
})

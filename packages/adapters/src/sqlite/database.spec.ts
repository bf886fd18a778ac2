import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { closeDatabase, DatabaseDamaged, openDatabase, SchemaTooNew, scalar } from './database.js'
import { removeFolder, temporaryFolder } from './store.fixture.js'

let folder: string
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => removeFolder(folder))

const first =
  'CREATE TABLE one(n INTEGER PRIMARY KEY, t TEXT) STRICT; INSERT INTO one VALUES (1, hex(zeroblob(20000)))'
const second = 'CREATE TABLE two(n INTEGER) STRICT; INSERT INTO two SELECT n FROM one'

const open = (changes: Partial<Parameters<typeof openDatabase>[0]> = {}) =>
  openDatabase({
    path: join(folder, 'x.db'),
    durability: 'full',
    migrations: [first],
    check: 'quick',
    readOnly: false,
    ...changes,
  })

describe('openDatabase', () => {
  it('has synchronous=FULL and WAL at every open, not only at the first', () => {
    for (let n = 0; n < 3; n++) {
      const database = open()
      expect(scalar(database, 'PRAGMA synchronous')).toBe(2)
      expect(scalar(database, 'PRAGMA journal_mode')).toBe('wal')
      expect(scalar(database, 'PRAGMA foreign_keys')).toBe(1)
      closeDatabase(database)
    }
    const views = open({ durability: 'normal' })
    expect(scalar(views, 'PRAGMA synchronous')).toBe(1)
    closeDatabase(views)
  })

  it('brings an older file up to date, step by step, and each step once', () => {
    closeDatabase(open())
    for (let n = 0; n < 2; n++) {
      const database = open({ migrations: [first, second] })
      expect(scalar(database, 'SELECT count(*) FROM two')).toBe(1)
      expect(scalar(database, 'PRAGMA user_version')).toBe(2)
      closeDatabase(database)
    }
  })

  it('leaves a file as it was when a step fails', () => {
    closeDatabase(open())
    expect(() => open({ migrations: [first, `${second}; INSERT INTO nowhere VALUES (1)`] })).toThrow(
      'nowhere',
    )
    const database = open()
    expect(scalar(database, 'PRAGMA user_version')).toBe(1)
    expect(scalar(database, "SELECT count(*) FROM sqlite_master WHERE name = 'two'")).toBe(0)
    closeDatabase(database)
  })

  it('refuses a file of a newer version and says so', () => {
    closeDatabase(open({ migrations: [first, second] }))
    expect(() => open()).toThrow(SchemaTooNew)
    expect(() => open()).toThrow(/schema version 2, this program knows up to 1: use the newer version/)
  })

  it('reads an older file as it is when it may only read', () => {
    closeDatabase(open())
    const database = open({ migrations: [first, second], readOnly: true })
    expect(scalar(database, 'PRAGMA user_version')).toBe(1)
    expect(() => database.exec('DELETE FROM one')).toThrow(/readonly/)
    database.close()
  })

  it('refuses a file with damaged pages', () => {
    closeDatabase(open())
    const bytes = readFileSync(join(folder, 'x.db'))
    bytes.fill(0xff, 4096, 4096 + 64)
    writeFileSync(join(folder, 'x.db'), bytes)
    expect(() => open()).toThrow(DatabaseDamaged)
    expect(() => open({ check: 'full' })).toThrow(DatabaseDamaged)
  })
})

describe('closeDatabase', () => {
  it('leaves an empty WAL: the file alone is whole, and can be copied', () => {
    const database = open()
    const statement = database.prepare('INSERT INTO one(t) VALUES (?)')
    for (let n = 0; n < 100; n++) statement.run('x'.repeat(1000))
    closeDatabase(database)
    closeDatabase(database)
    const copy = join(folder, 'copy.db')
    writeFileSync(copy, readFileSync(join(folder, 'x.db')))
    const copied = open({ path: copy, readOnly: true })
    expect(scalar(copied, 'SELECT count(*) FROM one')).toBe(101)
    copied.close()
  })
})

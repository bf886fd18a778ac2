import { join } from 'node:path'
import { createStop, ManualClock } from '@almanac/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Committer } from './committer.js'
import { closeDatabase, type Database, openDatabase, scalar } from './database.js'
import { SqliteEventLog } from './event-log.js'
import { eventOf } from './events.fixture.js'
import { HeadFile } from './head-file.js'
import { mainMigrations } from './schema.js'
import { openForTest, removeFolder, temporaryFolder } from './store.fixture.js'

describe('SqliteEventLog', () => {
  it('never holds one event id twice, whatever revision is expected', async () => {
    const { store, close } = openForTest()
    await store.eventLog.append('s', 'none', [eventOf('a')])
    await expect(store.eventLog.append('s', 0, [eventOf('a')])).rejects.toThrow()
    await expect(store.eventLog.append('other', 'none', [eventOf('a')])).rejects.toThrow()
    expect(await store.eventLog.head()).toBe(1)
    await close()
  })

  it('refuses to append nothing', async () => {
    const { store, close } = openForTest()
    await expect(store.eventLog.append('s', 'none', [])).rejects.toThrow('nothing to append')
    await close()
  })

  it('reads a rare stream in bounded steps', async () => {
    const { store, close } = openForTest()
    const many = Array.from({ length: 21_000 }, (_, n) => eventOf(`e-${n}`))
    await store.eventLog.append('common', 'none', many)
    await store.eventLog.append('rare', 'none', [eventOf('r')])
    const first = await store.eventLog.readAll(0, 10, { streamPrefixes: ['rare'] })
    expect(first).toEqual({ events: [], position: 20_000 })
    const second = await store.eventLog.readAll(first.position, 10, { streamPrefixes: ['rare'] })
    expect(second.events.map(({ id }) => id)).toEqual(['r'])
    await close()
  })
})

describe('a reader that is far behind', () => {
  const events = 5_000
  const pageOf = 500

  /** Turns of the event loop that others had while `read` read: they are what answers requests and renews leases. */
  async function turnsDuring(read: () => Promise<void>): Promise<number> {
    let turns = 0
    let isOver = false
    const count = () => {
      turns += 1
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    await read()
    isOver = true
    return turns
  }

  it('lets others have their turn between the pages of a subscription, and of a catch-up', async () => {
    const { store, close } = openForTest()
    const many = Array.from({ length: events }, (_, n) => eventOf(`e-${n}`))
    await store.eventLog.append('s', 'none', many)
    const stop = createStop()
    const followed = await turnsDuring(async () => {
      for await (const { position } of store.eventLog.follow(0, stop)) if (position === events) stop.stop()
    })
    expect(followed).toBeGreaterThanOrEqual(events / pageOf - 1)
    const read = await turnsDuring(async () => {
      for (let at = 0; at < events; ) at = (await store.eventLog.readAll(at, pageOf)).position
    })
    expect(read).toBeGreaterThanOrEqual(events / pageOf - 1)
    await close()
  })
})

describe('follow beside another process', () => {
  let folder: string
  let mine: Database
  let theirs: Database
  let headFile: HeadFile
  const clock = new ManualClock(1, { settle: () => new Promise((done) => setImmediate(done)) })

  const open = () =>
    openDatabase({
      path: join(folder, 'almanac.db'),
      durability: 'full',
      migrations: mainMigrations,
      check: 'none',
      readOnly: false,
    })
  const logOn = (database: Database) => {
    const committer = new Committer(database, headFile, () => {})
    return new SqliteEventLog({ database, committer, clock, pollMs: 1000 })
  }

  beforeEach(() => {
    folder = temporaryFolder()
    mine = open()
    theirs = open()
    mine.exec("INSERT INTO head VALUES (1, 'log', 0)")
    headFile = HeadFile.open(join(folder, 'almanac.head'))
  })
  afterEach(() => {
    closeDatabase(mine)
    closeDatabase(theirs)
    headFile.close()
    removeFolder(folder)
  })

  it('finds what was appended there, at the next look', async () => {
    const stop = createStop()
    const seen: string[] = []
    const following = (async () => {
      for await (const page of logOn(mine).follow(0, stop)) seen.push(...page.events.map(({ id }) => id))
    })()
    await clock.advance(10_000)
    await logOn(theirs).append('s', 'none', [eventOf('a'), eventOf('b')])
    await clock.advance(999)
    await clock.advance(1000)
    expect(seen).toEqual(['a', 'b'])
    stop.stop()
    await following
  })

  it('takes the position and revision from the file, not from memory', async () => {
    const [one, two] = [logOn(mine), logOn(theirs)]
    await one.append('s', 'none', [eventOf('a')])
    expect(await two.append('s', 0, [eventOf('b')])).toMatchObject({
      outcome: 'appended',
      revision: 1,
      position: 2,
    })
    expect(await one.append('s', 0, [eventOf('c')])).toMatchObject({ outcome: 'conflict', actual: 1 })
    expect(await one.append('s', 1, [eventOf('c')])).toMatchObject({
      outcome: 'appended',
      revision: 2,
      position: 3,
    })
    expect(scalar(mine, 'SELECT commits FROM head')).toBe(3)
  })
})

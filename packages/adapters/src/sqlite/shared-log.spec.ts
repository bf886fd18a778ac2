import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createStop, PortFault } from '@almanac/engine'
import { eventLogContract } from '@almanac/engine/contracts/event-log'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../system/index.js'
import { type Database, openDatabase } from './database.js'
import { appendOneByOne, eventOf } from './events.fixture.js'
import { FolderInUse } from './folder-lock.js'
import { HeadFile } from './head-file.js'
import { inspectFolder } from './inspect.js'
import { mainMigrations } from './schema.js'
import { OtherFolder, sharedPath } from './shared-folder.js'
import { openSharedEventLog, type SharedEventLog, type SharedEventLogOptions } from './shared-log.js'
import { removeFolder, temporaryFolder, testOptions } from './store.fixture.js'
import { mainPath, openStore } from './store.js'
import { TailLost } from './tail-check.js'
import { verifyLog } from './verify.js'

let folder: string
let opened: SharedEventLog[]
beforeEach(() => {
  folder = temporaryFolder()
  opened = []
})
afterEach(async () => {
  await Promise.all(opened.map((log) => log.close()))
  removeFolder(folder)
})

const optionsFor = (at: string, changes: Partial<SharedEventLogOptions> = {}): SharedEventLogOptions => ({
  folder: at,
  clock: systemClock(),
  random: systemRandom(),
  pollMs: 5,
  onFatal: (error) => {
    throw error
  },
  ...changes,
})

const open = (changes: Partial<SharedEventLogOptions> = {}): SharedEventLog => {
  const log = openSharedEventLog(optionsFor(folder, changes))
  opened.push(log)
  return log
}

eventLogContract('sqlite, shared', async () => {
  const own = temporaryFolder()
  const log = openSharedEventLog(optionsFor(own))
  return {
    log: log.eventLog,
    close: async () => {
      await log.close()
      removeFolder(own)
    },
  }
})

describe('several that have it open', () => {
  it('are of one log, with one order and one chain of hashes', async () => {
    const [one, two] = [open(), open()]
    expect(one.log.id).toBe(two.log.id)
    await appendOneByOne(one.eventLog, 'a', 3)
    await appendOneByOne(two.eventLog, 'a', 3)
    await appendOneByOne(one.eventLog, 'b', 1)
    expect(await two.eventLog.head()).toBe(7)
    expect(await two.eventLog.append('a', 2, [eventOf('x')])).toEqual({ outcome: 'conflict', actual: 5 })
    expect(open().log).toEqual({ id: one.log.id, position: 7 })
    expect(inspectFolder(folder)).toMatchObject({ position: 7, loss: undefined })
    expect(await verifyLog(folder)).toEqual({ events: 7, problems: [] })
  })

  it('hear of each other', async () => {
    const [one, two] = [open(), open()]
    const stop = createStop()
    const heard: string[] = []
    const following = (async () => {
      for await (const { events } of two.eventLog.follow(0, stop)) {
        heard.push(...events.map(({ id }) => id))
        if (heard.length === 2) stop.stop()
      }
    })()
    await one.eventLog.append('a', 'none', [eventOf('first')])
    await one.eventLog.append('a', 0, [eventOf('second')])
    await following
    expect(heard).toEqual(['first', 'second'])
  })

  it('have a head file each, and take up those of others who have ended', async () => {
    const heads = () => readdirSync(join(folder, 'heads')).filter((name) => name.endsWith('.head'))
    const [one, two] = [open(), open()]
    expect(heads()).toHaveLength(2)
    await one.close()
    open()
    expect(heads()).toHaveLength(2)
    await two.close()
    open()
    open()
    expect(heads()).toHaveLength(3)
  })
})

describe('while somebody else writes', () => {
  let other: Database
  beforeEach(() => {
    open()
    other = openDatabase({
      path: sharedPath(folder),
      durability: 'full',
      migrations: mainMigrations,
      check: 'none',
      readOnly: false,
    })
    other.exec('BEGIN IMMEDIATE')
  })
  afterEach(() => other.close())

  it('an append waits, and this process goes on', async () => {
    const { eventLog } = open()
    let isDone = false
    const appended = eventLog.append('a', 'none', [eventOf('a')]).then((result) => {
      isDone = true
      return result
    })
    expect(await eventLog.head()).toBe(0)
    await systemClock().sleep(50)
    expect(isDone).toBe(false)
    other.exec('ROLLBACK')
    expect(await appended).toMatchObject({ outcome: 'appended', position: 1 })
  })

  it('an append is unavailable in the end, has surely done nothing, and may be made again', async () => {
    const { eventLog } = open({ busyMs: 30 })
    const fault = await eventLog.append('a', 'none', [eventOf('a')]).catch((error) => error)
    expect(fault).toBeInstanceOf(PortFault)
    expect(fault).toMatchObject({ code: 'unavailable', retryable: true })
    other.exec('ROLLBACK')
    expect(await eventLog.head()).toBe(0)
    expect(await eventLog.append('a', 'none', [eventOf('a')])).toMatchObject({ outcome: 'appended' })
  })
})

describe('the folder', () => {
  it('of standalone is refused, while it runs and after, and is left as it is', async () => {
    const store = openStore(testOptions(folder))
    expect(() => open()).toThrow(FolderInUse)
    await store.eventLog.append('a', 'none', [eventOf('a')])
    await store.close()
    expect(() => open()).toThrow(OtherFolder)
    expect(() => open()).toThrow(`${folder} is standalone's (almanac.db)`)
    expect(existsSync(sharedPath(folder))).toBe(false)
    await openStore(testOptions(folder)).close()
  })

  it('is refused to standalone, while it is open and after, and is left as it is', async () => {
    const log = open()
    expect(() => openStore(testOptions(folder))).toThrow(FolderInUse)
    await log.close()
    expect(() => openStore(testOptions(folder))).toThrow(OtherFolder)
    expect(() => openStore(testOptions(folder))).toThrow('standalone needs a folder of its own')
    expect(existsSync(mainPath(folder))).toBe(false)
    open()
  })

  it('keeps no WAL when all have closed it', async () => {
    const [one, two] = [open(), open()]
    await appendOneByOne(one.eventLog, 'a', 3)
    await one.close()
    await appendOneByOne(two.eventLog, 'b', 3)
    await two.close()
    expect(statSync(`${sharedPath(folder)}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0)
    expect(await open().eventLog.head()).toBe(6)
  })
})

describe('after a loss', () => {
  /** Its last commits are in the WAL only, and then a bit of that flips: SQLite lets all fall that follows. */
  const lose = async (): Promise<void> => {
    const [one, two] = [open(), open()]
    await appendOneByOne(one.eventLog, 'a', 10)
    await appendOneByOne(two.eventLog, 'b', 10)
    const image = temporaryFolder()
    cpSync(folder, image, { recursive: true, filter: (path) => !/(-shm|lock)$/.test(path) })
    await Promise.all([one.close(), two.close()])
    removeFolder(folder)
    folder = image
    const path = `${sharedPath(folder)}-wal`
    const wal = readFileSync(path)
    const middle = Math.floor(wal.length / 2)
    wal[middle] = (wal[middle] ?? 0) ^ 1
    writeFileSync(path, wal)
  }

  it('it is not opened, whoever had written what is gone', async () => {
    await lose()
    expect(inspectFolder(folder)?.loss?.message).toContain('missing from events.db')
    expect(() => open()).toThrow(TailLost)
    expect(() => open()).toThrow(/commits are missing from events.db .*: events at positions \d+ to 20/)
  })

  it('it is gone on with when that is accepted, by all, as another log', async () => {
    await lose()
    const notices: string[] = []
    const log = open({ acceptLoss: true, notice: (message) => notices.push(message) })
    expect(notices).toHaveLength(1)
    const head = await log.eventLog.head()
    expect(head).toBeGreaterThan(0)
    expect(head).toBeLessThan(20)
    await log.eventLog.append('c', 'none', [eventOf('c')])
    const other = open()
    expect(other.log).toEqual({ id: log.log.id, position: head + 1 })
    await log.close()
    await other.close()
    expect(open().log.id).toBe(log.log.id)
  })

  it('a log without heads is not trusted', async () => {
    const log = open()
    await appendOneByOne(log.eventLog, 'a', 1)
    await log.close()
    rmSync(join(folder, 'heads'), { recursive: true })
    expect(() => open()).toThrow('The newest head file (heads/) is missing')
  })

  it('a head file that was made and never written says nothing', async () => {
    const log = open()
    await appendOneByOne(log.eventLog, 'a', 1)
    HeadFile.open(join(folder, 'heads', '9.head')).close()
    await log.close()
    expect(await open().eventLog.head()).toBe(1)
  })
})

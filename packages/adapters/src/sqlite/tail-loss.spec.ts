import {
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { appendOneByOne } from './events.fixture.js'
import { inspectFolder } from './inspect.js'
import { openForTest, removeFolder, temporaryFolder, testOptions } from './store.fixture.js'
import { headPath, mainPath, openStore } from './store.js'
import { TailLost } from './tail-check.js'
import { verifyLog } from './verify.js'

/**
 * An image of a data folder as a power cut leaves it: everything acknowledged is in the files, most of it in
 * the WAL only. `early` was taken after 20 events, `late` after 100.
 */
let early: string
let late: string
let folder: string

const files = ['almanac.db', 'almanac.db-wal', 'almanac.head', 'views.db', 'views.db-wal']

const copyFolder = (from: string, to: string) => {
  for (const file of files) if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file))
}

beforeAll(async () => {
  early = temporaryFolder()
  late = temporaryFolder()
  const { store, folder: live, close } = openForTest()
  await appendOneByOne(store.eventLog, 'stream', 20)
  copyFolder(live, early)
  await appendOneByOne(store.eventLog, 'stream', 80)
  copyFolder(live, late)
  await close()
})
afterAll(() => [early, late].forEach(removeFolder))
beforeEach(() => {
  folder = temporaryFolder()
  copyFolder(late, folder)
})
afterEach(() => removeFolder(folder))

const wal = () => `${mainPath(folder)}-wal`

const open = (changes: Parameters<typeof testOptions>[1] = {}) => openStore(testOptions(folder, changes))

const lossOf = (): TailLost | undefined => {
  try {
    void open().close()
    return undefined
  } catch (error) {
    if (error instanceof TailLost) return error
    throw error
  }
}

const flipBit = (path: string, offset: number) => {
  const bytes = readFileSync(path)
  bytes[offset] = (bytes[offset] ?? 0) ^ 0b100
  writeFileSync(path, bytes)
}

describe('after an unclean end', () => {
  it('everything is there when the files are whole', async () => {
    expect(statSync(wal()).size).toBeGreaterThan(100_000)
    const store = open()
    expect(await store.eventLog.head()).toBe(100)
    await store.close()
    expect((await verifyLog(folder)).problems).toEqual([])
  })

  it('a flipped bit in the middle of the WAL is noticed', () => {
    flipBit(wal(), Math.floor(statSync(wal()).size / 2))
    const loss = lossOf()
    expect(loss?.kind).toBe('missing')
    const [from, until] = loss?.lost?.positions ?? [0, 0]
    expect(until).toBe(100)
    expect(from).toBeGreaterThan(20)
    expect(from).toBeLessThan(80)
    expect(loss?.lost?.commits).toBe(101 - from)
    expect(loss?.message).toContain(`events at positions ${from} to 100`)
  })

  it('wherever a bit flips in the WAL, it is noticed, or nothing is missing', async () => {
    const size = statSync(wal()).size
    let noticed = 0
    for (let n = 0; n < 60; n++) {
      removeFolder(folder)
      folder = temporaryFolder()
      copyFolder(late, folder)
      flipBit(wal(), Math.floor((size * (n + 0.5)) / 60))
      try {
        const store = open()
        expect(await store.eventLog.head()).toBe(100)
        await store.close()
      } catch (error) {
        expect(error).toBeInstanceOf(TailLost)
        noticed += 1
      }
    }
    expect(noticed).toBeGreaterThan(50)
  })

  it('a torn WAL is noticed', () => {
    truncateSync(wal(), Math.floor(statSync(wal()).size * 0.9) - 100)
    expect(lossOf()).toMatchObject({ kind: 'missing', lost: { positions: [expect.any(Number), 100] } })
  })

  it('a WAL that lacks its last commit is noticed', () => {
    truncateSync(wal(), statSync(wal()).size - 1)
    expect(lossOf()).toMatchObject({ kind: 'missing', lost: { commits: 1, positions: [100, 100] } })
  })

  it('a deleted WAL is noticed', () => {
    rmSync(wal())
    expect(lossOf()).toMatchObject({ kind: 'missing', lost: { commits: 100, positions: [1, 100] } })
  })

  it('an older copy of the database is noticed', () => {
    for (const suffix of ['', '-wal']) copyFileSync(mainPath(early) + suffix, mainPath(folder) + suffix)
    expect(lossOf()).toMatchObject({ kind: 'missing', lost: { commits: 80, positions: [21, 100] } })
  })

  it('a deleted database is noticed', () => {
    for (const suffix of ['', '-wal']) rmSync(mainPath(folder) + suffix)
    expect(inspectFolder(folder)?.loss).toMatchObject({ kind: 'missing', lost: { positions: [1, 100] } })
    expect(lossOf()).toMatchObject({ kind: 'missing', lost: { commits: 100, positions: [1, 100] } })
  })

  it('a head file of another log is noticed', async () => {
    const other = openForTest()
    await appendOneByOne(other.store.eventLog, 'stream', 3)
    copyFileSync(headPath(other.folder), headPath(folder))
    await other.close()
    expect(lossOf()).toMatchObject({ kind: 'foreign', lost: null })
  })

  it('a head file that is gone or damaged is noticed', () => {
    rmSync(headPath(folder))
    expect(lossOf()).toMatchObject({ kind: 'noHead', lost: null })
    writeFileSync(headPath(folder), 'x'.repeat(8192))
    expect(lossOf()).toMatchObject({ kind: 'noHead', lost: null })
  })

  it('the same number of other commits is noticed by their chain', async () => {
    const sameId = { random: { next: () => 0, token: () => 'log' } }
    const one = openForTest(sameId)
    const other = openForTest(sameId)
    await appendOneByOne(one.store.eventLog, 'one', 10)
    await appendOneByOne(other.store.eventLog, 'other', 10)
    removeFolder(folder)
    folder = temporaryFolder()
    copyFolder(one.folder, folder)
    copyFileSync(headPath(other.folder), headPath(folder))
    await Promise.all([one.close(), other.close()])
    expect(lossOf()).toMatchObject({ kind: 'changed', lost: null })
  })

  it('a refused start leaves the damaged files as they were', () => {
    flipBit(wal(), Math.floor(statSync(wal()).size / 2))
    const contents = () => files.map((file) => readFileSync(join(folder, file)).toString('base64'))
    const before = contents()
    expect(lossOf()?.kind).toBe('missing')
    expect(contents()).toEqual(before)
  })
})

describe('a loss that is accepted', () => {
  it('is named once, and the log goes on from what is there', async () => {
    flipBit(wal(), Math.floor(statSync(wal()).size / 2))
    const lost = lossOf()
    const notices: string[] = []
    const store = open({ acceptLoss: true, notice: (message) => notices.push(message) })
    const head = await store.eventLog.head()
    expect(notices[0]).toContain(lost?.message)
    expect(head).toBe((lost?.lost?.positions?.[0] ?? 0) - 1)
    await appendOneByOne(store.eventLog, 'stream', 5)
    await store.close()
    const again = open()
    expect(await again.eventLog.head()).toBe(head + 5)
    await again.close()
    expect((await verifyLog(folder)).problems).toEqual([])
  })

  it('starts the read models over, since they may know what was lost', async () => {
    const before = open()
    before.viewStore.apply({
      position: 10,
      at: 1,
      tasks: [],
      schedules: [],
      calendars: [],
      markers: new Map([['default', { position: 10, at: 1 }]]),
    })
    await before.close()
    rmSync(headPath(folder))
    const store = open({ acceptLoss: true })
    expect(store.viewStore.position()).toBe(0)
    expect(store.viewStore.marker('default')).toBeUndefined()
    await store.close()
  })

  it('changes nothing when nothing is lost', async () => {
    const notices: string[] = []
    const store = open({ acceptLoss: true, notice: (message) => notices.push(message) })
    expect(await store.eventLog.head()).toBe(100)
    await store.close()
    expect(notices).toEqual([])
  })
})

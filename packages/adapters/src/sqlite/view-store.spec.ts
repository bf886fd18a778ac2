import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ViewBatch } from '@almanac/engine'
import { sampleBatch, sampleTask } from '@almanac/engine/contracts/view-samples'
import { DatabaseSync } from '@photostructure/sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { removeFolder, temporaryFolder } from './store.fixture.js'
import { openViewStore, type SqliteViewStore } from './view-store.js'

let folder: string
let notices: string[]
let opened: SqliteViewStore[]

beforeEach(() => {
  folder = temporaryFolder()
  notices = []
  opened = []
})
afterEach(() => {
  for (const views of opened) views.close()
  removeFolder(folder)
})

const path = () => join(folder, 'views.db')

const open = (log = { id: 'log', position: 100 }) => {
  const views = openViewStore({ path: path(), log, notice: (message) => notices.push(message) })
  opened.push(views)
  return views
}

/** A store that has something at position 50, closed. */
const filled = () => {
  const views = open()
  views.apply(
    sampleBatch(50, { tasks: [sampleTask('a')], markers: new Map([['default', { position: 50, at: 500 }]]) }),
  )
  views.close()
}

describe('reopening', () => {
  it('finds states and position as they were, without a word', () => {
    filled()
    const views = open()
    expect(views.position()).toBe(50)
    expect(views.task('a')).toEqual(sampleTask('a'))
    expect(views.marker('default')).toEqual({ position: 50, at: 500 })
    expect(views.positionAt(500)).toBe(50)
    expect(views.counts()).toEqual({ tasks: 1, enabled: 1, quarantined: 0 })
    expect(notices).toEqual([])
  })

  it('finds them in files that nobody closed', () => {
    const views = open()
    views.apply(sampleBatch(50, { tasks: [sampleTask('a')] }))
    const image = temporaryFolder()
    for (const file of readdirSync(folder)) copyFileSync(join(folder, file), join(image, file))
    const copy = openViewStore({
      path: join(image, 'views.db'),
      log: { id: 'log', position: 100 },
      notice: (message) => notices.push(message),
    })
    opened.push(copy)
    expect(copy.position()).toBe(50)
    expect(copy.task('a')).toEqual(sampleTask('a'))
    expect(notices).toEqual([])
    copy.close()
    removeFolder(image)
  })
})

describe('starting over', () => {
  const expectEmpty = (log: Parameters<typeof open>[0], reason: RegExp) => {
    const views = open(log)
    expect(views.position()).toBe(0)
    expect(views.task('a')).toBeUndefined()
    expect(views.counts().tasks).toBe(0)
    expect(notices).toHaveLength(1)
    expect(notices[0]).toMatch(reason)
    views.apply(sampleBatch(1, { tasks: [sampleTask('b')] }))
    views.close()
    expect(open(log).task('b')).toEqual(sampleTask('b'))
    expect(notices).toHaveLength(1)
  }

  it('is what a first start is, without a word', () => {
    expect(open().position()).toBe(0)
    expect(notices).toEqual([])
  })

  it('happens when the file was deleted', () => {
    filled()
    for (const file of readdirSync(folder)) rmSync(join(folder, file))
    expect(open().position()).toBe(0)
  })

  it('happens when the file is no database', () => {
    filled()
    writeFileSync(path(), 'This is not a database. '.repeat(500))
    expectEmpty(undefined, /can not be used .*not a database/)
  })

  it('happens when pages are damaged', () => {
    filled()
    const bytes = readFileSync(path())
    bytes.fill(0xff, 4096, 4096 * 3)
    writeFileSync(path(), bytes)
    expectEmpty(undefined, /damaged/)
  })

  it('happens when the file is of another version', () => {
    filled()
    const views = open()
    views.close()
    edit('UPDATE meta SET version = version + 1')
    expectEmpty(undefined, /another version/)
  })

  it('happens when it belongs to another log', () => {
    filled()
    expectEmpty({ id: 'other', position: 100 }, /another log/)
  })

  it('happens when it knows more than the log', () => {
    filled()
    expectEmpty({ id: 'log', position: 49 }, /position 50, the log ends at 49/)
  })
})

/** Changes the file behind the store's back. */
const edit = (sql: string) => {
  const views = open()
  views.close()
  const database = new DatabaseSync(path())
  database.exec(sql)
  database.close()
}

describe('a batch', () => {
  it('is applied whole or not at all', () => {
    const views = open()
    views.apply(sampleBatch(1, { tasks: [sampleTask('a')] }))
    const bad = { state: { ...sampleTask('b'), spec: undefined }, position: 2, at: 20 } as never
    const batch: ViewBatch = { ...sampleBatch(2, { tasks: [sampleTask('a', { enabled: false })] }) }
    expect(() => views.apply({ ...batch, tasks: [...batch.tasks, bad] })).toThrow()
    expect(views.position()).toBe(1)
    expect(views.task('a')).toEqual(sampleTask('a'))
    expect(views.positionAt(1e9)).toBe(1)
    expect(views.counts()).toEqual({ tasks: 1, enabled: 1, quarantined: 0 })
    views.apply(batch)
    expect(views.task('a')?.spec.enabled).toBe(false)
    expect(views.counts()).toEqual({ tasks: 1, enabled: 0, quarantined: 0 })
  })
})

describe('others', () => {
  it('have their turn when they are given it', async () => {
    const views = open()
    let isDone = false
    setImmediate(() => {
      isDone = true
    })
    await views.othersTurn()
    expect(isDone).toBe(true)
  })
})

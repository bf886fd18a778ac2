import { DatabaseSync } from '@photostructure/sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { appendOneByOne } from './events.fixture.js'
import { openForTest, removeFolder, temporaryFolder } from './store.fixture.js'
import { mainPath } from './store.js'
import { verifyLog } from './verify.js'

let folder: string
beforeEach(async () => {
  const opened = openForTest()
  folder = opened.folder
  await appendOneByOne(opened.store.eventLog, 'a', 5)
  await appendOneByOne(opened.store.eventLog, 'b', 5)
  await appendOneByOne(opened.store.eventLog, 'a', 5)
  await opened.store.close()
})
afterEach(() => removeFolder(folder))

/** A hand that knows SQL and changes history. */
const tamper = (sql: string) => {
  const database = new DatabaseSync(mainPath(folder))
  database.exec(sql)
  database.close()
}

const messages = async () =>
  (await verifyLog(folder)).problems.map(({ position, message }) => `${position}: ${message}`)

describe('verifyLog', () => {
  it('finds nothing in a log that is as it was written, and tells how far it is', async () => {
    const progress: string[] = []
    const verdict = await verifyLog(folder, (done, total) => progress.push(`${done}/${total}`))
    expect(verdict).toEqual({ events: 15, problems: [] })
    expect(progress).toEqual(['15/30', '30/30'])
  })

  it('has nothing to say about a folder without a log', async () => {
    const empty = temporaryFolder()
    expect(await verifyLog(empty)).toEqual({ events: 0, problems: [] })
    removeFolder(empty)
  })

  it.each([
    ['data', `UPDATE events SET data = '{"id":"forged"}' WHERE position = 7`],
    ['metadata', `UPDATE events SET metadata = replace(metadata, 'tester', 'nobody') WHERE position = 7`],
    ['type', `UPDATE events SET type = 'Other' WHERE position = 7`],
    ['version', 'UPDATE events SET version = 2 WHERE position = 7'],
    ['id', `UPDATE events SET id = 'other' WHERE position = 7`],
    ['stream', `UPDATE events SET stream = 'c', revision = 0 WHERE position = 7`],
    ['chain', `UPDATE events SET chain = 'f' || substr(chain, 2) WHERE position = 7 AND chain NOT LIKE 'f%'`],
    ['an event that is gone', 'DELETE FROM events WHERE position = 7'],
    ['two that changed places', swap()],
    ['a namespace column', `UPDATE events SET namespace = 'x' WHERE position = 7`],
    ['a time column', 'UPDATE events SET at = at + 1 WHERE position = 7'],
    ['text that is no JSON', `UPDATE events SET data = '{' WHERE position = 7`],
  ])('notices a changed log: %s', async (_what, sql) => {
    tamper(sql)
    const found = await messages()
    expect(found.length).toBeGreaterThan(0)
    expect(found.some((message) => message.startsWith('7: ') || message.startsWith('8: '))).toBe(true)
  })

  it('notices a stream whose chain was mended after a change, by the hashes of its events', async () => {
    const { nextChain } = await import('./event-row.js')
    const database = new DatabaseSync(mainPath(folder))
    database.exec(`UPDATE events SET data = '{"id":"forged"}' WHERE position = 7`)
    let chain = ''
    const update = database.prepare('UPDATE events SET chain = ? WHERE position = ?')
    for (const row of database.prepare('SELECT * FROM events ORDER BY position').all()) {
      chain = nextChain(chain, row)
      update.run(chain, row.position)
    }
    database.close()
    expect(await messages()).toEqual(['8: previousHash is not the hash of the event before.'])
  })
})

function swap(): string {
  return `UPDATE events SET position = 100 WHERE position = 7;
    UPDATE events SET position = 7 WHERE position = 8;
    UPDATE events SET position = 8 WHERE position = 100`
}

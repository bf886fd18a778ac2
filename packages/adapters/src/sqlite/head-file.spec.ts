import { openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Head, HeadFile } from './head-file.js'
import { removeFolder, temporaryFolder } from './store.fixture.js'

let folder: string
let path: string
beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder, 'almanac.head')
})
afterEach(() => removeFolder(folder))

const head = (commits: number): Head => ({
  logId: 'log',
  commits,
  position: commits * 2,
  chain: 'c'.repeat(64),
})

const writeHeads = async (...numbers: number[]) => {
  const file = HeadFile.open(path)
  for (const commits of numbers) await file.write(head(commits))
  file.close()
}

const flipByte = (offset: number) => {
  const bytes = readFileSync(path)
  bytes[offset] = (bytes[offset] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

describe('HeadFile', () => {
  it('is missing until it is made, and damaged while it holds nothing', () => {
    expect(HeadFile.read(path)).toBe('missing')
    HeadFile.open(path).close()
    expect(HeadFile.read(path)).toBe('damaged')
  })

  it('gives the newest head back, after any number of writes and opens', async () => {
    await writeHeads(1)
    expect(HeadFile.read(path)).toEqual(head(1))
    await writeHeads(2, 3, 4)
    expect(HeadFile.read(path)).toEqual(head(4))
    await writeHeads(5)
    expect(HeadFile.read(path)).toEqual(head(5))
  })

  it('falls back to the head before when the newest slot is torn', async () => {
    await writeHeads(1, 2, 3)
    const torn = readFileSync(path).indexOf('"log",3')
    flipByte(torn)
    expect(HeadFile.read(path)).toEqual(head(2))
    await writeHeads(4)
    expect(HeadFile.read(path)).toEqual(head(4))
  })

  it('never writes over its newest head, so that a torn write loses one commit at most', async () => {
    await writeHeads(1, 2)
    for (let commits = 3; commits < 8; commits++) {
      const before = readFileSync(path)
      await writeHeads(commits)
      const after = readFileSync(path)
      const kept = [0, 4096].filter((start) =>
        before.subarray(start, start + 4096).equals(after.subarray(start, start + 4096)),
      )
      expect(kept).toHaveLength(1)
      expect(after.subarray(kept[0], (kept[0] ?? 0) + 4096).toString()).toContain(`"log",${commits - 1},`)
    }
  })

  it('is damaged when both slots are', async () => {
    await writeHeads(1, 2)
    flipByte(10)
    flipByte(4096 + 10)
    expect(HeadFile.read(path)).toBe('damaged')
  })

  it('is damaged when it is cut short', () => {
    writeSync(openSync(path, 'w'), 'short')
    expect(HeadFile.read(path)).toBe('damaged')
  })
})

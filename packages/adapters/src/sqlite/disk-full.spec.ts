import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PortFault } from '@almanac/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventOf } from './events.fixture.js'
import { removeFolder, temporaryFolder, testOptions } from './store.fixture.js'
import { openStore, type Store } from './store.js'
import { verifyLog } from './verify.js'

/**
 * Mounting a small file system of its own takes root; the full disk by page limit is in committer.spec.ts.
 */
const isRoot = process.platform === 'linux' && process.getuid?.() === 0

const canMount = (): boolean => {
  if (!isRoot) return false
  const folder = temporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder])
    return true
  } catch {
    return false
  } finally {
    removeFolder(folder)
  }
}

describe.runIf(canMount())('a file system that is full', () => {
  let folder: string
  beforeEach(() => {
    folder = temporaryFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder])
  })
  afterEach(() => {
    // Lazy: the driver holds the files until its statements are garbage collected.
    execFileSync('umount', ['-l', folder])
    removeFolder(folder)
  })

  const big = (id: string) => eventOf(id, undefined, { filler: 'x'.repeat(50_000) })

  /** Appends until the disk is full; gives the ids that were acknowledged. */
  const fill = async (store: Store, prefix: string): Promise<readonly string[]> => {
    const kept: string[] = []
    for (let n = 0; n < 200; n++) {
      const id = `${prefix}-${n}`
      try {
        await store.eventLog.append(id, 'none', [big(id)])
        kept.push(id)
      } catch (error) {
        expect(error).toBeInstanceOf(PortFault)
        expect((error as PortFault).code).toBe('storage_full')
        expect((error as PortFault).retryable).toBe(true)
        return kept
      }
    }
    throw new Error('The disk did not get full.')
  }

  /**
   * The same by two at once, which are one transaction: to the end, since a checkpoint of the write-ahead log may have
   * made room again just after the disk was full. Both are kept or neither.
   */
  const fillGroups = async (store: Store, prefix: string): Promise<readonly string[]> => {
    const kept: string[] = []
    for (let n = 0; n < 200; n++) {
      const ids = ['x', 'y'].map((name) => `${prefix}-${n}-${name}`)
      const answers = await Promise.allSettled(ids.map((id) => store.eventLog.append(id, 'none', [big(id)])))
      const statuses = answers.map(({ status }) => status)
      expect(new Set(statuses).size).toBe(1)
      if (statuses.includes('rejected')) return kept
      kept.push(...ids)
    }
    throw new Error('The disk did not get full.')
  }

  it('refuses writes without losing or halving any, goes on reading, and writes again with space', async () => {
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(1_500_000, 1))
    const fatal: Error[] = []
    const store = openStore(testOptions(folder, { onFatal: (error) => fatal.push(error) }))
    const first = [...(await fill(store, 'first'))]
    expect(first.length).toBeGreaterThan(3)
    first.push(...(await fillGroups(store, 'group')))
    expect(await store.eventLog.head()).toBe(first.length)
    expect((await store.eventLog.readStream('first-0')).length).toBe(1)
    rmSync(join(folder, 'ballast'))
    const second = await fill(store, 'second')
    expect(second.length).toBeGreaterThan(3)
    const { events } = await store.eventLog.readAll(0, 1000)
    expect(events.map(({ id }) => id)).toEqual([...first, ...second])
    expect(fatal).toEqual([])
    await store.close()
    expect((await verifyLog(folder)).problems).toEqual([])
  })
})

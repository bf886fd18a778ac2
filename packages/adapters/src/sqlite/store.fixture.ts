import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandom } from '../system/index.js'
import { openStore, type Store, type StoreOptions } from './store.js'

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'almanac-'))

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true })

/** What tests open stores with; a fatal fault fails the test loudly. */
export const testOptions = (folder: string, changes: Partial<StoreOptions> = {}): StoreOptions => ({
  folder,
  clock: systemClock(),
  random: systemRandom(),
  onFatal: (error) => {
    throw error
  },
  ...changes,
})

/** A new store in a folder of its own, which `close` removes. */
export const openForTest = (
  changes: Partial<StoreOptions> = {},
): { readonly store: Store; readonly folder: string; close(): Promise<void> } => {
  const folder = changes.folder ?? temporaryFolder()
  const store = openStore(testOptions(folder, changes))
  const close = async () => {
    await store.close()
    removeFolder(folder)
  }
  return { store, folder, close }
}

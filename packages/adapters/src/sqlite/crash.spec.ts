import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { RunRecord } from '@almanac/domain'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FolderInUse } from './folder-lock.js'
import { removeFolder, temporaryFolder, testOptions } from './store.fixture.js'
import { openStore, type Store } from './store.js'
import { verifyLog } from './verify.js'

/** How often the child is killed: more by `ALMANAC_KILLS=200 npx vitest run crash`. */
const kills = Number(process.env.ALMANAC_KILLS ?? 12)
const child = fileURLToPath(new URL('./crash-child.fixture.mjs', import.meta.url))
const built = fileURLToPath(new URL('../../dist/sqlite/index.js', import.meta.url))

let folder: string
beforeAll(() => {
  if (!existsSync(built)) throw new Error('The child process runs the built package: npm run build first.')
})
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => removeFolder(folder))

const start = (lives: number): ChildProcess =>
  spawn(process.execPath, [child, folder, String(lives)], { stdio: ['ignore', 'pipe', 'inherit'] })

const ended = (running: ChildProcess) =>
  new Promise<NodeJS.Signals | null>((resolve) => running.once('close', (_code, signal) => resolve(signal)))

/**
 * Lets the child write until it has acknowledged `count` things, kills it, and gives all that it
 * acknowledged.
 */
const liveUntil = async (lives: number, count: number): Promise<readonly string[]> => {
  const running = start(lives)
  const lines: string[] = []
  if (running.stdout === null) throw new Error('The child has no standard output.')
  const reader = createInterface({ input: running.stdout })
  reader.on('line', (line) => {
    lines.push(line)
    if (lines.length === count) running.kill('SIGKILL')
  })
  const read = new Promise((resolve) => reader.once('close', resolve))
  expect(await ended(running)).toBe('SIGKILL')
  await read
  return lines
}

interface Acknowledged {
  readonly events: Map<number, string>
  readonly done: Set<string>
  readonly seqs: Map<number, number>
}

const note = (known: Acknowledged, line: string) => {
  const [what, first = '', second = ''] = line.split(' ')
  if (what === 'event') known.events.set(Number(first), second)
  else if (what === 'done') known.done.add(first)
  else known.seqs.set(Number(first), Math.max(known.seqs.get(Number(first)) ?? 0, Number(second)))
}

const allRuns = (store: Store): readonly RunRecord[] => {
  const found: RunRecord[] = []
  let cursor: string | undefined
  do {
    const page = store.runStore.list(
      'default',
      {},
      cursor === undefined ? { limit: 1000 } : { limit: 1000, cursor },
    )
    found.push(...page.items)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return found
}

/** Every acknowledged thing is there, once; and nothing is there by halves. */
const expectKept = async (store: Store, known: Acknowledged) => {
  const { events } = await store.eventLog.readAll(0, 1e6)
  expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1))
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  for (const [position, id] of known.events) expect(events[position - 1]?.id).toBe(id)

  const runs = new Map(allRuns(store).map((run) => [run.command.runId, run]))
  for (const id of known.done) expect(runs.get(id)?.status).toBe('succeeded')
  for (const [partition, seq] of known.seqs) {
    const { checkpoint } = await store.dispatchLog.claim(partition)
    const last = checkpoint?.seq ?? 0
    expect(last).toBeGreaterThanOrEqual(seq)
    const own = [...runs.values()].filter(({ command }) => command.partition === partition)
    expect(own).toHaveLength(last * 5)
  }
}

describe('kill -9', () => {
  it(`loses nothing that was acknowledged and doubles nothing, ${kills} times`, {
    timeout: kills * 20_000,
  }, async () => {
    const known: Acknowledged = { events: new Map(), done: new Set(), seqs: new Map() }
    for (let lives = 0; lives < kills; lives++) {
      const count = 1 + Math.floor(Math.random() * 600)
      for (const line of await liveUntil(lives, count)) note(known, line)
      const store = openStore(testOptions(folder))
      await expectKept(store, known)
      await store.close()
    }
    expect(known.events.size).toBeGreaterThan(kills)
    expect(await verifyLog(folder)).toEqual({ events: expect.any(Number), problems: [] })
  })
})

describe('a second process', () => {
  it('is refused while the first lives, and let in when that was killed', async () => {
    const running = start(0)
    await new Promise((resolve) => running.stdout?.once('data', resolve))
    expect(() => openStore(testOptions(folder))).toThrow(FolderInUse)
    running.stdout?.resume()
    running.kill('SIGKILL')
    await ended(running)
    const store = openStore(testOptions(folder))
    expect(() => openStore(testOptions(folder))).toThrow(FolderInUse)
    expect(await store.eventLog.head()).toBeGreaterThan(0)
    await store.close()
  })
})

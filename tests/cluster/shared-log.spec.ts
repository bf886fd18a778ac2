import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openSharedEventLog, type SharedEventLog, verifyLog } from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import type { RecordedEvent } from '@almanac/domain'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'

const program = fileURLToPath(new URL('./shared-log-child.fixture.mjs', import.meta.url))
const built = fileURLToPath(new URL('../../packages/adapters/dist/sqlite/shared-log.js', import.meta.url))

/** A process that writes or follows, and what it has told. */
class Child {
  readonly lines: string[] = []
  private readonly running: ChildProcess
  private readonly ended: Promise<unknown>

  constructor(...args: readonly (string | number)[]) {
    this.running = spawn(process.execPath, [program, ...args.map(String)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const { stdout } = this.running
    if (stdout === null) throw new Error('The child has no standard output.')
    const reader = createInterface({ input: stdout })
    reader.on('line', (line) => this.lines.push(line))
    this.ended = Promise.all([once(reader, 'close'), once(this.running, 'close')])
  }

  /** Its words after `what`, of each line that begins with that. */
  told(what: string): readonly (readonly string[])[] {
    return this.lines
      .map((line) => line.split(' '))
      .flatMap(([first, ...rest]) => (first === what ? [rest] : []))
  }

  /** Ends a follower, or waits for the end of a writer. */
  async end(): Promise<void> {
    this.running.stdin?.end()
    await this.ended
    expect(this.running.exitCode).toBe(0)
  }

  async kill(): Promise<void> {
    this.running.kill('SIGKILL')
    await this.ended
  }
}

let folder: string
let children: Child[]
let log: SharedEventLog

const start = (...args: readonly (string | number)[]): Child => {
  const child = new Child(...args)
  children.push(child)
  return child
}

beforeAll(() => {
  if (!existsSync(built)) throw new Error('The child processes run the built package: npm run build first.')
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-shared-'))
  children = []
  log = openSharedEventLog({
    folder,
    clock: systemClock(),
    random: systemRandom(),
    onFatal: (error) => {
      throw error
    },
  })
})
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill()))
  await log.close()
  await rm(folder, { recursive: true, force: true })
})

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}

async function everything(): Promise<readonly RecordedEvent[]> {
  const all: RecordedEvent[] = []
  const head = await log.eventLog.head()
  for (let position = 0; position < head; ) {
    const page = await log.eventLog.readAll(position, 1_000)
    all.push(...page.events)
    position = page.position
  }
  return all
}

/** Ends the followers when they have seen all; each must have seen the whole log, once and in its order. */
async function expectSeenBy(followers: readonly Child[], all: readonly RecordedEvent[]): Promise<void> {
  await until(() => followers.every((follower) => follower.told('seen').length >= all.length))
  await Promise.all(followers.map((follower) => follower.end()))
  const order = all.map(({ position, id }) => `${position} ${id}`)
  for (const follower of followers) {
    expect(follower.told('seen').map(([position, id]) => `${position} ${id}`)).toEqual(order)
  }
}

/** Whatever was told to be appended is there, in its place; what conflicted is not. */
function expectAsTold(writers: readonly Child[], all: readonly RecordedEvent[]): void {
  const places = new Map(
    all.map(({ id, stream, revision, position }) => [id, `${stream} ${revision} ${position}`]),
  )
  expect(places.size).toBe(all.length)
  for (const [stream, revision, id = '', position] of writers.flatMap((writer) => writer.told('appended'))) {
    expect(places.get(id)).toBe(`${stream} ${revision} ${position}`)
  }
  const revisions = new Map<string, number>()
  for (const { stream, revision } of all) {
    expect(revision).toBe((revisions.get(stream) ?? -1) + 1)
    revisions.set(stream, revision)
  }
  for (const [stream = '', expected, actual, id = ''] of writers.flatMap((writer) =>
    writer.told('conflict'),
  )) {
    expect(places.has(id)).toBe(false)
    expect(Number(actual)).toBeGreaterThan(expected === 'none' ? -1 : Number(expected))
    expect(Number(actual)).toBeLessThanOrEqual(revisions.get(stream) ?? -1)
  }
}

it('is one log for four that write and two that follow', async () => {
  const count = 150
  const followers = [start('follow', folder), start('follow', folder)]
  const writers = ['a', 'b', 'c', 'd'].map((name) => start('write', folder, name, count))
  const begun = performance.now()
  await Promise.all(writers.map((writer) => writer.end()))
  const seconds = (performance.now() - begun) / 1_000
  const all = await everything()
  await expectSeenBy(followers, all)
  expectAsTold(writers, all)
  expect(await verifyLog(folder)).toEqual({ events: all.length, problems: [] })

  const appended = writers.flatMap((writer) => writer.told('appended'))
  const conflicts = writers.flatMap((writer) => writer.told('conflict'))
  expect(appended).toHaveLength(all.length)
  // Every attempt was answered, one way or the other, and those on the streams of all met each other.
  expect(appended.length + conflicts.length).toBe(4 * 4 * count)
  expect(all.filter(({ stream }) => stream.startsWith('own-'))).toHaveLength(4 * count)
  expect(conflicts.length).toBeGreaterThan(0)
  report('while four write', followers)
  process.stderr.write(
    `${all.length} events and ${conflicts.length} conflicts of 4 processes in ${seconds.toFixed(1)} s\n`,
  )
})

it('loses nothing and doubles nothing when those that write are killed', async () => {
  const followers = [start('follow', folder), start('follow', folder)]
  const names = ['a', 'b', 'c', 'd']
  const writers: Child[] = []
  const current = new Map<string, Child>()
  const restart = (name: string) => {
    const writer = start('write', folder, name, 1_000_000)
    writers.push(writer)
    current.set(name, writer)
  }
  for (const name of names) restart(name)
  for (let kill = 0; kill < 12; kill++) {
    const name = names[kill % names.length] ?? ''
    const victim = current.get(name)
    await until(() => (victim?.told('appended').length ?? 0) > 10)
    await victim?.kill()
    restart(name)
  }
  await Promise.all([...current.values()].map((writer) => writer.kill()))
  const all = await everything()
  await expectSeenBy(followers, all)
  expectAsTold(writers, all)
  expect(await verifyLog(folder)).toEqual({ events: all.length, problems: [] })
  expect(all.length).toBeGreaterThan(12 * 10)
})

it('wakes those that follow soon after an append', async () => {
  const followers = [start('follow', folder)]
  await until(() => followers.every(({ lines }) => lines.includes('open')))
  const writer = start('write', folder, 'a', 50)
  await writer.end()
  await expectSeenBy(followers, await everything())
  report('while one writes', followers)
})

/** From just before the append until it was seen by another process. */
function report(when: string, followers: readonly Child[]): void {
  const waits = followers
    .flatMap((follower) => follower.told('seen').map(([, , wait]) => Number(wait)))
    .sort((a, b) => a - b)
  const at = (share: number) => waits[Math.floor(share * (waits.length - 1))]
  process.stderr.write(
    `append to sight, ${when}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${waits.length} events\n`,
  )
}

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Bench } from './event-log.fixture.js'

// Goal: to know when the adapter may go back to the client's own appends. These are its faults, each a reason for not
// using them; when one of these tests fails, its reason is gone. Method: the client alone, in a process of its own.

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})
afterEach(() => bench.close())

const script = fileURLToPath(new URL('./client-alone.fixture.mjs', import.meta.url))
const ran = (...args: string[]) =>
  new Promise<{ readonly code: number; readonly output: string }>((resolve) => {
    const child = execFile(process.execPath, [script, ...args], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
    )
  })

it('a broken connection rejects the appends of a sound one, whose answer then ends the process', async () => {
  const [broken, sound] = [await bench.double(), await bench.double()]
  broken.faults.cutAfterApply = 1
  sound.faults.answerDelayMs = 4_000
  const { code, output } = await ran('broken', broken.connectionString, sound.connectionString)
  expect(output).toContain('sound rejected')
  expect(sound.log.lastRevisionOf('sound')).toBe(0)
  expect(output).toContain('TypeError')
  expect(output).not.toContain('alive')
  expect(code).not.toBe(0)
})

it('one client alone does so too, after the leader has changed', async () => {
  const leader = await bench.double()
  const next = await bench.double({ log: leader.log })
  leader.faults.answerDelayMs = 100_000
  next.faults.answerDelayMs = 4_000
  const running = ran('moved', leader.connectionString)
  const isThere = (stream: string) =>
    expect.poll(() => leader.log.lastRevisionOf(stream), { timeout: 20_000 }).toBe(0)
  await isThere('first')
  leader.faults.leader = { host: next.host, port: next.port }
  await isThere('second')
  await leader.disconnectAll()
  const { code, output } = await running
  expect(output).toContain('second rejected')
  expect(output).toContain('TypeError')
  expect(code).not.toBe(0)
})

it('with a clock that is behind it can append nothing', async () => {
  const double = await bench.double()
  const { output } = await ran('late', double.connectionString)
  expect(output).toContain('late rejected deadline-exceeded')
  expect(double.log.lastRevisionOf('late')).toBe(-1)
})

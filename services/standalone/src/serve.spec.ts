import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { serve } from './serve.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'almanac-serve-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A process with its output in memory and signals that a test sends. */
function fakeProcess(env: { [name: string]: string } = {}) {
  const out: string[] = []
  const err: string[] = []
  const handlers = new Map<string, () => void>()
  const exits: number[] = []
  let onWelcome = () => {}
  const started = new Promise<void>((resolve) => {
    onWelcome = resolve
  })
  const process = {
    argv: ['node', 'serve'],
    env,
    cwd: () => folder,
    stdout: {
      write: (text: string) => {
        out.push(text)
        if (text.includes('is running at')) onWelcome()
        return true
      },
    },
    stderr: { write: (text: string) => err.push(text) > 0 },
    on: (signal: string, handler: () => void) => handlers.set(signal, handler),
    exit: (code: number) => exits.push(code),
  } as unknown as NodeJS.Process
  return { process, out, err, exits, started, signal: (name: string) => handlers.get(name)?.() }
}

it('starts, tells where it is, and stops in order on a signal', async () => {
  const { process, out, err, started, signal, exits } = fakeProcess({
    ALMANAC_PORT: '0',
    ALMANAC_PARTITIONS: '2',
  })
  const code = serve(process, ['--data', join(folder, 'data')])
  await started
  const url = /running at (http:\S+)/.exec(out.join(''))?.[1]
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  expect(out.join('')).toContain(`ALMANAC_URL=${url}`)
  signal('SIGTERM')
  expect(await code).toBe(0)
  expect([err, exits]).toEqual([[], []])
  await expect(fetch(`${url}/livez`)).rejects.toThrow()
  signal('SIGINT')
  expect(exits).toEqual([1])
})

it('reads almanac.json of the working folder, and refuses what is wrong in it', async () => {
  writeFileSync(join(folder, 'almanac.json'), '{"prt":1}')
  const { process, err } = fakeProcess()
  expect(await serve(process, [])).toBe(2)
  expect(err.join('')).toContain('almanac.json: prt is not an option; did you mean port?')
})

it.each([
  [['--prt', '1'], 'did you mean --port?'],
  [['--port'], '--port'],
  [['stray'], 'stray'],
  [['--config', 'missing.json'], 'missing.json cannot be read'],
  [['--bootstrap-key', 'secret'], 'is no key'],
])('refuses %j', async (argv, words) => {
  const { process, err } = fakeProcess()
  expect(await serve(process, argv)).toBe(2)
  expect(err.join('')).toContain(words)
})

it('shows every option with --help', async () => {
  const { process, out } = fakeProcess()
  expect(await serve(process, ['--help'])).toBe(0)
  expect(out.join('')).toContain('ALMANAC_RUN_RETENTION_DAYS (7 days)')
})

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { problem } from '../../test-support/almanac.js'
import { type Asked, fakeServer, type Reply } from '../../test-support/fake-server.js'
import { fakeWorld } from '../../test-support/fake-world.js'
import { Failure } from '../failure.js'
import { version } from '../version.js'
import { doctor, type Finding } from './doctor.js'

const now = Date.parse('2026-11-24T12:00:00Z')
const cluster = (over: { now?: string; lag?: number; quarantined?: number }) => ({
  nodes: [{ nodeId: 'n1', now: over.now ?? '2026-11-24T12:00:00.000Z', lag: over.lag ?? 0, viewPosition: 7 }],
  tasks: { tasks: 3, enabled: 2, quarantined: over.quarantined ?? 0 },
})
const healthy =
  (over: Parameters<typeof cluster>[0] = {}, serverVersion = version) =>
  ({ path }: Asked): Reply => {
    if (path === '/v1/cluster') return { body: cluster(over) }
    if (path === '/openapi.json') return { body: { info: { version: serverVersion } } }
    return { body: { status: 'ok' } }
  }
const versions = { ...process.versions, node: '20.19.0', tz: '2025c' }

const examine = async (
  answer: (asked: Asked) => Reply,
  options: { data?: string; versions?: NodeJS.ProcessVersions } = {},
) => {
  const server = await fakeServer(answer)
  const world = fakeWorld({ now, env: { ALMANAC_URL: server.url } })
  let code = 0
  try {
    const { data } = options
    await doctor(world, { json: true, ...(data === undefined ? {} : { data }) }, options.versions ?? versions)
  } catch (fault) {
    if (!(fault instanceof Failure)) throw fault
    code = fault.exitCode
  } finally {
    await server.close()
  }
  const { findings } = JSON.parse(world.printed.out) as { findings: readonly Finding[] }
  const verdicts = Object.fromEntries(findings.map(({ what, verdict }) => [what, verdict]))
  return { code, findings, verdicts }
}

describe('doctor', () => {
  it('finds nothing wrong with a healthy server', async () => {
    const { code, verdicts } = await examine(healthy())
    expect(code).toBe(0)
    expect(verdicts).toEqual({
      node: 'ok',
      'time zones': 'ok',
      server: 'ok',
      ready: 'ok',
      version: 'ok',
      clock: 'ok',
      'node n1': 'ok',
      tasks: 'ok',
    })
  })

  it.each([
    ['a clock that is off', healthy({ now: '2026-11-24T12:00:05.000Z' }), 'clock'],
    ['another version', healthy({}, '9.9.9'), 'version'],
    ['read models far behind', healthy({ lag: 100_000 }), 'node n1'],
    ['tasks that cannot be planned', healthy({ quarantined: 1 }), 'tasks'],
  ])('warns of %s, with what to do, and ends with 0', async (_, answer, what) => {
    const { code, findings } = await examine(answer)
    expect(code).toBe(0)
    const warned = findings.filter(({ verdict }) => verdict !== 'ok')
    expect(warned.map((finding) => [finding.what, finding.verdict])).toEqual([[what, 'warn']])
    expect(warned[0]?.advice).toBeTruthy()
  })

  it('fails when the server is not ready, or cannot be reached', async () => {
    const starting = await examine((asked) =>
      asked.path === '/readyz' ? problem(503, 'not_ready', 'Starting.') : healthy()(asked),
    )
    expect(starting.verdicts.ready).toBe('fail')
    expect(starting.code).toBe(1)
    const away = await examine(() => ({ cut: true }))
    expect(away.verdicts.server).toBe('fail')
    expect(away.verdicts.ready).toBeUndefined()
    expect(away.code).toBe(3)
  })

  it('fails on a Node that is too old or has no zones, and warns of old zone data', async () => {
    const old = await examine(healthy(), { versions: { ...versions, node: '20.18.3', tz: '2023c' } })
    expect(old.verdicts).toMatchObject({ node: 'fail', 'time zones': 'warn' })
    expect(old.code).toBe(1)
  })
})

describe('doctor --data', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'almanac-doctor-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const open = (data: string) =>
    openStore({
      folder: data,
      clock: systemClock(),
      random: systemRandom(),
      onFatal: (error) => {
        throw error
      },
    })
  /** A copy of what the files of a closed store hold: SQLite takes its WAL away only when the process ends. */
  const stoppedFolder = async () => {
    const live = join(folder, 'live')
    await open(live).close()
    const data = join(folder, 'data # of 50%')
    mkdirSync(data)
    for (const file of ['almanac.db', 'almanac.head', 'views.db'])
      copyFileSync(join(live, file), join(data, file))
    return data
  }

  it('only warns of a server that cannot be reached: the folder can be looked at without it', async () => {
    const { code, verdicts, findings } = await examine(() => ({ cut: true }), { data: await stoppedFolder() })
    expect(verdicts).toMatchObject({ server: 'warn', data: 'ok', head: 'ok' })
    expect(findings.find(({ what }) => what === 'server')?.advice).toBeTruthy()
    expect(code).toBe(0)
  })

  it('fails when the server can be reached, and is not well', async () => {
    const answer = () => problem(503, 'not_ready', 'The disk is full.')
    const { code, verdicts } = await examine(answer, { data: await stoppedFolder() })
    expect(verdicts).toMatchObject({ server: 'fail', data: 'ok' })
    expect(code).toBe(3)
  })

  it('leaves nothing behind in the folder of a stopped server', async () => {
    const data = await stoppedFolder()
    const before = readdirSync(data)
    expect(before).not.toContain('almanac.db-wal')
    expect((await examine(healthy(), { data })).verdicts.data).toBe('ok')
    expect(readdirSync(data)).toEqual(before)
  })

  it('looks at the folder of a running server, through its WAL', async () => {
    const store = open(folder)
    try {
      expect(existsSync(join(folder, 'almanac.db-wal'))).toBe(true)
      const { code, verdicts } = await examine(healthy(), { data: folder })
      expect(verdicts).toMatchObject({ data: 'ok', head: 'ok' })
      expect(code).toBe(0)
    } finally {
      await store.close()
    }
  })

  it('fails when there is no such folder', async () => {
    const data = join(folder, 'none')
    const { code, findings } = await examine(healthy(), { data })
    expect(findings.at(-1)).toMatchObject({ verdict: 'fail', message: `${data} does not exist.` })
    expect(code).toBe(1)
  })

  it('fails on a file in place of a folder, also with the server away', async () => {
    const data = join(folder, 'file')
    writeFileSync(data, '')
    const { code, findings } = await examine(() => ({ cut: true }), { data })
    expect(findings.at(-1)).toMatchObject({ verdict: 'fail', message: `${data} is not a folder.` })
    expect(findings.at(-1)?.advice).not.toMatch(/restore/)
    expect(code).toBe(1)
  })

  it('warns of a folder without data', async () => {
    const data = join(folder, 'empty')
    mkdirSync(data)
    const { code, verdicts } = await examine(healthy(), { data })
    expect(verdicts.data).toBe('warn')
    expect(code).toBe(0)
  })

  it('fails when the folder is damaged', async () => {
    const data = await stoppedFolder()
    writeFileSync(join(data, 'almanac.db'), 'x'.repeat(8192))
    const { code, verdicts } = await examine(healthy(), { data })
    expect(verdicts.data).toBe('fail')
    expect(code).toBe(1)
  })
})

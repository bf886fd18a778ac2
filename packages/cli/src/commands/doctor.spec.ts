import { describe, expect, it } from 'vitest'
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

  it('warns of a folder without data', async () => {
    const { verdicts } = await examine(healthy(), { data: '/nonexistent' })
    expect(verdicts.data).toBe('warn')
  })
})

import type { RunJson } from '@almanac/protocol'
import { describe, expect, it } from 'vitest'
import { almanac, list } from '../../test-support/almanac.js'
import { fakeWorld } from '../../test-support/fake-world.js'
import { sampleRun } from '../../test-support/samples.js'
import { run } from '../program.js'

describe('runs list --follow', () => {
  const runs = (...ids: string[]): RunJson[] =>
    ids.map((id) => sampleRun({ runId: id, status: 'queued', scheduledAt: `2026-11-24T02:00:${id}.000Z` }))
  const idsOf = (out: string) =>
    out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as RunJson).runId)

  it('prints each run once, oldest first, over a restart of the server, until Ctrl-C', async () => {
    const looks: (RunJson[] | 'away')[] = [
      runs('03', '02', '01'),
      runs('04', '03', '02', '01'),
      'away',
      'away',
      runs('06', '05', '04', '03'),
      runs('06', '05', '04', '03'),
    ]
    let look = 0
    const { code, out, err } = await almanac(
      ['runs', 'list', '--follow', '--json', '--limit', '2'],
      ({ query }) => {
        if (query.get('kind') !== null) return list([])
        const now = looks[look++] ?? []
        return now === 'away' ? { cut: true } : list(now)
      },
      {
        onSleep: (_, end) => {
          if (look >= looks.length) end()
        },
      },
    )
    expect(code).toBe(0)
    expect(idsOf(out)).toEqual(['02', '03', '04', '05', '06'])
    expect(err.match(/cannot be reached/g)).toHaveLength(1)
    expect(err).toContain('is back')
  })

  it('prints late runs, which are deep in the list', async () => {
    let look = 0
    const late = sampleRun({ runId: 'late', kind: 'catchUp', scheduledAt: '2026-11-20T00:00:00.000Z' })
    const { out } = await almanac(
      ['runs', 'list', '--follow', '--json'],
      ({ query }) => {
        if (query.get('kind') === 'catchUp') return list(look > 1 ? [late] : [])
        if (query.get('kind') === 'backfill') return list([])
        look++
        return list(runs('01'))
      },
      {
        onSleep: (_, end) => {
          if (look > 2) end()
        },
      },
    )
    expect(idsOf(out)).toEqual(['01', 'late'])
  })

  it('loses no run when the server goes away in the middle of a look', async () => {
    let look = 0
    const { out } = await almanac(
      ['runs', 'list', '--follow', '--json'],
      ({ query }) => {
        if (query.get('kind') === null) {
          look++
          return list(look === 1 ? runs('01') : runs('02', '01'))
        }
        return look === 2 ? { cut: true } : list([])
      },
      {
        onSleep: (_, end) => {
          if (look > 3) end()
        },
      },
    )
    expect(idsOf(out)).toEqual(['01', '02'])
  })

  it('fails at once when the server was never reached', async () => {
    const world = fakeWorld({ env: { ALMANAC_URL: 'http://127.0.0.1:1' } })
    expect(await run(world, ['runs', 'list', '--follow'])).toBe(3)
  })
})

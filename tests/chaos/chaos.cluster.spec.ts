import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { faultNames } from './faults/nemesis.js'
import type { ChaosResults } from './report.js'

// Real processes on real servers of their own: the harness is run as `npm run chaos` runs it.

const folder = mkdtempSync(join(tmpdir(), 'almanac-chaos-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function chaos(name: string, args: readonly string[]) {
  const script = fileURLToPath(new URL('./chaos.mjs', import.meta.url))
  const place = join(folder, name)
  const child = spawn(process.execPath, [script, ...args, '--folder', place], {
    env: { ...process.env, NODE_ENV: '' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  try {
    const results = JSON.parse(readFileSync(join(place, 'results.json'), 'utf8')) as ChaosResults
    return { code, results }
  } catch {
    throw new Error(`the run has no results, and ended with ${code}:\n${output}`)
  }
}

const rulesIn = ({ findings }: ChaosResults) => new Set(findings.map(({ rule }) => rule))

describe('a cluster of real processes on real servers', () => {
  it('loses and doubles nothing, whatever is broken', { timeout: 600_000 }, async () => {
    const { code, results } = await chaos('all', ['--seed', '3', '--seconds', '110', '--tasks', '1500'])
    expect(results.findings).toEqual([])
    expect(code).toBe(0)
    expect(results.faults.map(({ fault, hits }) => [fault, hits > 0])).toEqual(
      faultNames.map((fault) => [fault, true]),
    )
    expect(results.counts.runs).toBeGreaterThan(1_000)
    expect(results.requests.fenced).toBeGreaterThan(0)
    expect(results.takeovers.count).toBeGreaterThan(0)
    for (const { rule, checked } of results.rules) expect([rule, checked > 0]).toEqual([rule, true])
  })
})

describe('the judge', () => {
  const short = ['--tasks', '300', '--partitions', '4', '--calm', '30']

  it('finds runs that are committed apart from their checkpoint', { timeout: 400_000 }, async () => {
    const { code, results } = await chaos('apart', [
      ...['--plant', 'runs committed before their checkpoint', '--seed', '5', '--seconds', '40'],
      ...['--only', 'crash,commit-request-lost,commit-answer-lost'],
      ...short,
    ])
    expect(code).toBe(1)
    expect([...rulesIn(results)]).toEqual(expect.arrayContaining(['doubled']))
  })
})

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

const rulesIn = ({ findings }: ChaosResults) => findings.map(({ rule }) => rule)

describe('a cluster of real processes on real servers', () => {
  it('loses and doubles nothing, whatever is broken', { timeout: 900_000 }, async () => {
    const args = ['--seed', '3', '--seconds', '110', '--lease', '3', '--calm', '100', '--tasks', '1500']
    const { code, results } = await chaos('all', args)
    expect(results.findings).toEqual([])
    expect(code).toBe(0)
    expect(results.faults.filter(({ hits }) => hits === 0)).toEqual([])
    expect(results.faults.map(({ fault }) => fault)).toEqual(faultNames)
    expect(results.counts.runs).toBeGreaterThan(1_000)
    expect(results.requests.fenced).toBeGreaterThan(0)
    expect(results.takeovers.count).toBeGreaterThan(0)
    expect(results.rules.filter(({ checked }) => checked === 0)).toEqual([])
  })
})

describe('the judge', () => {
  const planted = (name: string, bug: string) =>
    chaos(name, [
      ...['--plant', bug, '--seed', '5', '--seconds', '24', '--lease', '3', '--calm', '10'],
      ...['--tasks', '200', '--partitions', '4', '--only', 'crash-at-run'],
    ])

  it('finds runs that are committed before their checkpoint', { timeout: 600_000 }, async () => {
    const { code, results } = await planted('before', 'runs committed before their checkpoint')
    expect(code).toBe(1)
    expect(rulesIn(results)).toContain('doubled')
  })
})

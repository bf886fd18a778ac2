import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileClocked } from './clocked.js'
import { parseInstant } from './instant.js'

interface Probe {
  readonly id: string
  readonly k: 'probe'
  readonly clocked_time: string
  readonly now: string
  readonly due: boolean
  readonly remaining_s: number
}

interface Entry {
  readonly id: string
  readonly k: 'entry'
  readonly clocked_time: string
  readonly start_time: string | null
  readonly now: string
  readonly fires: readonly string[]
}

const oracle: { cases: readonly (Probe | Entry)[] } = JSON.parse(
  readFileSync(new URL('../oracle/clocked.oracle.json', import.meta.url), 'utf8'),
)
const probes = oracle.cases.filter((row) => row.k === 'probe')
const entries = oracle.cases.filter((row) => row.k === 'entry')

function instant(text: string): number {
  const result = parseInstant(text)
  if (!result.ok) throw new Error(text)
  return result.value
}

describe('the clocked oracle', () => {
  it('holds what it is thought to hold', () => {
    expect([probes.length, entries.length]).toEqual([7, 6])
  })

  it.each(probes)('probe $id: $clocked_time at $now', (row) => {
    const [at, now] = [instant(row.clocked_time), instant(row.now)]
    // An instant is the millisecond that holds the oracle's microseconds: due up to 999 microseconds early.
    const early = !row.due && row.remaining_s < 0.001
    expect(compileClocked(at).previous(now)).toBe(row.due || early ? at : undefined)
    expect(Math.abs((at - now) / 1000 - row.remaining_s)).toBeLessThan(0.001)
  })

  // Due from its instant on, once. That it waits for the start time is the task's business: the later of the two.
  it.each(entries)('entry $id: $clocked_time, start $start_time', (row) => {
    const clocked = compileClocked(instant(row.clocked_time))
    const fires = Math.max(
      clocked.next(0) ?? 0,
      instant(row.now),
      row.start_time ? instant(row.start_time) : 0,
    )
    expect([fires]).toEqual(row.fires.map(instant))
  })
})

describe('compileClocked', () => {
  it('has one occurrence', () => {
    const clocked = compileClocked(5000)
    expect([clocked.next(4999), clocked.next(5000), clocked.next(9000)]).toEqual([5000, undefined, undefined])
    expect([clocked.previous(4999), clocked.previous(5000), clocked.previous(9000)]).toEqual([
      undefined,
      5000,
      5000,
    ])
    expect([clocked.count(0, 4999), clocked.count(0, 5000), clocked.count(5000, 9000)]).toEqual([0, 1, 0])
  })
})

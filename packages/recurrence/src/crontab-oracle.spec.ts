import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileCrontab, parseCrontab } from './crontab.js'
import type { DstPolicy, Instant } from './types.js'

// Instants that the real celery, and a walker without any celery code, gave: see meta and README of the
// oracle.

interface OracleCase {
  readonly id: string
  readonly m: string
  readonly h: string
  readonly dom: string
  readonly mon: string
  readonly dow: string
  readonly tz: string
  readonly ref: string
  readonly celery: readonly string[]
  readonly wall: readonly string[]
  readonly agree: boolean
  readonly wall_gap_shift?: readonly string[]
  readonly wall_overlap_both?: readonly string[]
  readonly tzdata?: boolean
}

const file = new URL('../oracle/crontab.oracle.json', import.meta.url)
const all = (JSON.parse(readFileSync(file, 'utf8')) as { cases: OracleCase[] }).cases
/** Morocco's rules after 2026-09-20 changed in tz 2026; up to 2025c they are those of the oracle. */
const sameRules = (process.versions.tz ?? '') < '2026'
const cases = all.filter((row) => sameRules || row.tzdata !== true)

function occurrences(row: OracleCase, dst: DstPolicy): string[] {
  const parsed = parseCrontab({
    minute: row.m,
    hour: row.h,
    dayOfMonth: row.dom,
    monthOfYear: row.mon,
    dayOfWeek: row.dow,
    timezone: row.tz,
    dst,
  })
  if (!parsed.ok) throw new Error(`${row.id}: ${JSON.stringify(parsed.error)}`)
  const recurrence = compileCrontab(parsed.value)
  const found: string[] = []
  let at: Instant | undefined = Date.parse(row.ref)
  while (found.length < row.wall.length) {
    at = recurrence.next(at)
    if (at === undefined) break
    found.push(new Date(at).toISOString().replace('.000Z', 'Z'))
  }
  return found
}

const mismatches = (
  rows: readonly OracleCase[],
  dst: DstPolicy,
  expected: (row: OracleCase) => readonly string[],
) => rows.filter((row) => occurrences(row, dst).join() !== expected(row).join()).map((row) => row.id)

describe('crontab oracle', () => {
  const first: DstPolicy = { gap: 'skip', overlap: 'first' }

  it('gives what celery and the walker agree on', () => {
    const rows = cases.filter((row) => row.agree)
    expect(mismatches(rows, first, (row) => row.celery)).toEqual([])
    const auto = mismatches(rows, {}, (row) => row.celery)
    process.stdout.write(
      `crontab oracle: ${rows.length} of ${rows.length} agreed cases match with gap skip, overlap first; ` +
        `${auto.length} differ by the default policy\n`,
    )
    expect(rows.length).toBeGreaterThan(5600)
  })

  it('gives the walker where celery differs from it', () => {
    const rows = cases.filter((row) => !row.agree)
    expect(mismatches(rows, first, (row) => row.wall)).toEqual([])
    expect(rows.length).toBeGreaterThan(100)
  })

  it('fires the times of a gap moved forward with gap shift', () => {
    const shifted = (row: OracleCase) => row.wall_gap_shift ?? row.wall
    expect(mismatches(cases, { gap: 'shift', overlap: 'first' }, shifted)).toEqual([])
  })

  it('fires both passes of an overlap with overlap both', () => {
    const both = (row: OracleCase) => row.wall_overlap_both ?? row.wall
    expect(mismatches(cases, { gap: 'skip', overlap: 'both' }, both)).toEqual([])
  })
})

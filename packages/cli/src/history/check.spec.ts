import { digestOf } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { almanac } from '../../test-support/almanac.js'

const meta = {
  kind: 'meta',
  version: 1,
  cluster: 'almanac',
  partitions: 1,
  misfireGraceMs: 2_000,
  maxDecisionsPerTick: 10,
  earlyToleranceMs: 250,
  lateToleranceMs: 2_000,
  recoveryMs: 30_000,
  source: 'a spec',
}
const end = { kind: 'end', at: 1_774_000_000_000 }
const answer = (nth: number) => ({
  kind: 'answer',
  sentAt: end.at - 2,
  answeredAt: end.at - 1,
  idempotencyKey: digestOf(String(nth)),
  position: nth,
  command: 'create',
  namespace: 'default',
  taskId: `T${nth}`,
  isFenced: false,
})
const linesOf = (...records: readonly object[]) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('')
const files = {
  'clean.jsonl': linesOf(meta, end),
  'broken.jsonl': linesOf(meta, ...Array.from({ length: 30 }, (_, index) => answer(index + 1)), end),
  'bad.jsonl': `${linesOf(meta)}{"kind":"rumour"}\n`,
  'two.jsonl': linesOf(meta, meta),
}
const check = (...args: readonly string[]) => almanac(['history', 'check', ...args], undefined, { files })

describe('history check', () => {
  it('ends with 0 when nothing is wrong', async () => {
    const { code, out, err, asked } = await check('clean.jsonl')
    expect(code).toBe(0)
    expect(out).toContain('a spec: cluster almanac, 1 partition')
    expect(out).toContain('Nothing is wrong.')
    expect(out).toMatch(/lost-command +0 +0 +not seen/)
    expect(err).toContain('2 records judged')
    expect(asked).toEqual([])
  })

  it('ends with 1 and shows the first violations when something is', async () => {
    const { code, out } = await check('broken.jsonl')
    expect(code).toBe(1)
    expect(out).toMatch(/lost-command +30 +30 +broken/)
    expect(out).toContain('lost-command 2026-03-20 09:46:39.999Z, task T1')
    expect(out).toContain('create was answered with position 1, where there is no event')
    expect(out.match(/where there is no event/g)).toHaveLength(20)
    expect(out).toContain('and 10 more')
  })

  it('prints the report as JSON', async () => {
    const { code, out, err } = await check('broken.jsonl', '--json')
    expect(code).toBe(1)
    expect(err).toBe('')
    const report = JSON.parse(out)
    expect(report.violations).toHaveLength(30)
    expect(report.counts.answers).toBe(30)
  })

  it('writes a page', async () => {
    const { code, err, written } = await check('broken.jsonl', '--page', 'out.html')
    expect(code).toBe(1)
    expect(err).toContain('The page is in out.html')
    expect(written.get('out.html')).toContain('30 violations')
  })

  it.each([
    ['bad.jsonl', 'bad.jsonl is no history: line 2 is of an unknown kind, "rumour".'],
    ['two.jsonl', 'two.jsonl is no history: there are two meta records: this is two histories.'],
    ['missing.jsonl', 'There is no file missing.jsonl.'],
  ])('ends with 2 for %s, which can not be judged', async (file, message) => {
    const { code, err } = await check(file)
    expect(code).toBe(2)
    expect(err).toContain(message)
  })
})

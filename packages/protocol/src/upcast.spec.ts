import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { currentVersion, type UpcasterTable, upcast, upcasters } from './upcast.js'

/**
 * One event of each type and version as it was stored, frozen: lines are added when a version is added, never changed.
 */
const corpus = readFileSync(new URL('../test-support/event-corpus.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))

describe('stored events', () => {
  it('of every type and version are in the corpus', () => {
    const found = corpus.map(({ type, version }) => `${type} ${version}`)
    const wanted = Object.keys(upcasters).flatMap((type) =>
      Array.from({ length: currentVersion(type as keyof typeof upcasters) }, (_, i) => `${type} ${i + 1}`),
    )
    expect(found.sort()).toEqual(wanted.sort())
  })

  it.each(corpus.map((event) => [event.type, event.version, event]))(
    '%s version %i still reads',
    (_, __, event) => {
      const lifted = upcast(event)
      expect(lifted).toMatchObject({ ok: true, event: { version: currentVersion(event.type) } })
    },
  )
})

describe('upcasting', () => {
  const table: UpcasterTable = {
    Renamed: [(data) => ({ ...Object(data), b: 1 }), (data) => ({ ...Object(data), c: Object(data).b + 1 })],
  }

  it('applies every missing step in order, and none to a present event', () => {
    const event = { type: 'Renamed', version: 1, data: { a: 0 }, id: 'x' }
    expect(upcast(event, table)).toEqual({
      ok: true,
      event: { type: 'Renamed', version: 3, data: { a: 0, b: 1, c: 2 }, id: 'x' },
    })
    expect(event.data).toEqual({ a: 0 })
    const present = { type: 'Renamed', version: 3, data: {} }
    expect(upcast(present, table)).toEqual({ ok: true, event: present })
  })

  it('tells what it cannot read', () => {
    expect(upcast({ type: 'Renamed', version: 4, data: {} }, table)).toEqual({
      ok: false,
      code: 'future_version',
    })
    expect(upcast({ type: 'Renamed', version: 0, data: {} }, table)).toEqual({
      ok: false,
      code: 'future_version',
    })
    expect(upcast({ type: 'toString', version: 1, data: {} }, table)).toEqual({
      ok: false,
      code: 'unknown_type',
    })
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical, eventHash, sameJson } from './canonical.js'
import { recorded } from './decider.spec-support.js'

describe('canonical', () => {
  it('sorts keys, at every depth, and leaves undefined out', () => {
    expect(canonical({ b: 1, a: [{ d: null, c: 'x' }], u: undefined })).toBe(
      '{"a":[{"c":"x","d":null}],"b":1}',
    )
  })

  it('is JSON that reads back as the same value, whatever the order of the keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonical(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonical(JSON.parse(text))).toBe(text)
      }),
    )
    expect(sameJson({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true)
    expect(sameJson({ a: 1 }, { a: 1, b: null })).toBe(false)
  })
})

describe('eventHash', () => {
  const event = recorded('s', 3, { type: 'T', data: { a: 1, b: [2] } })

  it('is the same for the event as it is written and as it is read', () => {
    const { stream: _, revision: __, position: ___, ...stored } = event
    expect(eventHash(event)).toBe(eventHash(JSON.parse(JSON.stringify(stored))))
    expect(eventHash(event)).toMatch(/^[0-9a-f]{64}$/)
  })

  it.each([
    { ...event, id: 'x' },
    { ...event, type: 'x' },
    { ...event, version: 2 },
    { ...event, data: { a: 1, b: [3] } },
    { ...event, metadata: { ...event.metadata, at: 0 } },
    { ...event, metadata: { ...event.metadata, actor: 'x' } },
    { ...event, metadata: { ...event.metadata, reason: 'x' } },
    { ...event, metadata: { ...event.metadata, previousHash: 'x' } },
  ])('changes with anything that the event says (%#)', (other) => {
    expect(eventHash(other)).not.toBe(eventHash(event))
  })
})

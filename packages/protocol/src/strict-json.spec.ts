import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxJsonDepth, parseStrictJson } from './strict-json.js'

const fault = (text: string) => {
  const parsed = parseStrictJson(text)
  return parsed.ok ? undefined : [parsed.fault.code, parsed.fault.path]
}

describe('strict JSON', () => {
  it('reads whatever JSON.stringify writes as JSON.parse does', () => {
    const safe = fc.jsonValue({ maxDepth: 8 }).filter((value) => {
      const text = JSON.stringify(value)
      return !/__proto__|"prototype"|\\ud[89a-f]/i.test(text) && !hasUnsafeInteger(value)
    })
    fc.assert(
      fc.property(safe, fc.constantFrom(undefined, 1, '\t'), (value, blanks) => {
        const text = JSON.stringify(value, undefined, blanks)
        expect(parseStrictJson(text)).toEqual({ ok: true, value: JSON.parse(text) })
      }),
    )
  })

  it('refuses exactly what JSON.parse refuses, of texts without its own rules', () => {
    const texts = fc.array(fc.constantFrom(...'{}[]:,"a1.-e \\n'.split('')), { maxLength: 12 })
    fc.assert(
      fc.property(texts, (letters) => {
        const text = letters.join('')
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        const found = fault(text)?.[0]
        expect(found === undefined || found === 'duplicate_key').toBe(isJson)
      }),
      { numRuns: 2_000 },
    )
  })

  it('names the path of what it refuses', () => {
    expect(fault('{"a":{"b":[0,{"c":1,"c":2}]}}')).toEqual(['duplicate_key', 'a.b[1].c'])
    expect(fault('{"a":[[],[1,9007199254740992]]}')).toEqual(['unsafe_number', 'a[1][1]'])
    expect(fault('[{"x":"\\udc00"}]')).toEqual(['not_utf8', '[0].x'])
    expect(fault('{"constructor":{"prototype":1}}')).toEqual(['forbidden_key', 'constructor.prototype'])
  })

  it('sees the same key through different escapes, and no key where there is none', () => {
    expect(fault('{"a":1,"\\u0061":2}')).toEqual(['duplicate_key', 'a'])
    expect(fault('{"a":"a","b":"a","c":["a","a"]}')).toBeUndefined()
    expect(fault('{"a" : 1 , "b"\n:\n"a"}')).toBeUndefined()
    expect(fault('["a:", "\\"a\\":1", "a:"]')).toBeUndefined()
    expect(fault('{"constructor":1,"prototype":2}')).toBeUndefined()
  })

  it.each([
    ['9007199254740991', undefined],
    ['-9007199254740991', undefined],
    ['9007199254740992', 'unsafe_number'],
    ['1e20', undefined],
    ['1.7976931348623157e308', undefined],
    ['1e309', 'malformed_json'],
    ['-1e309', 'malformed_json'],
    [`0.${'1'.repeat(400)}`, undefined],
    ['1'.repeat(400), 'malformed_json'],
  ])('the number %s', (text, code) => {
    expect(fault(`[${text}]`)?.[0]).toBe(code)
  })

  it(`nests ${maxJsonDepth} deep and no deeper, however deep it goes`, () => {
    const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`
    expect(fault(nested(maxJsonDepth))).toBeUndefined()
    expect(fault(nested(maxJsonDepth + 2))?.[0]).toBe('too_deep')
    expect(fault('['.repeat(500_000) + ']'.repeat(500_000))?.[0]).toBe('too_deep')
  })
})

function hasUnsafeInteger(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasUnsafeInteger)
}

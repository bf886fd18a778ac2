import { describe, expect, it } from 'vitest'
import { isSampled, spanIdOf, traceIdOf, traceparentOf } from './trace-context.js'

const trace = '0af7651916cd43dd8448eb211c80319c'
const span = 'b7ad6b7169203331'

describe('a trace context', () => {
  it('is taken as it is written', () => {
    const text = `00-${trace}-${span}-01`
    expect(traceparentOf(text)).toBe(text)
    expect([traceIdOf(text), spanIdOf(text), isSampled(text)]).toEqual([trace, span, true])
    expect(isSampled(`00-${trace}-${span}-00`)).toBe(false)
    expect(isSampled(`00-${trace}-${span}-03`)).toBe(true)
    expect(isSampled(`00-${trace}-${span}-10`)).toBe(false)
  })

  it('of a later version is read as far as it is known', () => {
    expect(traceparentOf(`01-${trace}-${span}-01-what-comes`)).toBe(`00-${trace}-${span}-01`)
    expect(traceparentOf(`cc-${trace}-${span}-00`)).toBe(`00-${trace}-${span}-00`)
  })

  it.each([
    undefined,
    '',
    5,
    `00-${trace}-${span}`,
    `00-${trace}-${span}-01-more`,
    `ff-${trace}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${trace}-${span}-1`,
    ` 00-${trace}-${span}-01`,
    `00-${trace}-${span}-01\n`,
    `01-${trace}-${span}-01-${'x'.repeat(500)}`,
  ])('is not %j', (text) => {
    expect(traceparentOf(text)).toBeUndefined()
  })
})

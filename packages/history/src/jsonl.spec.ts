import { expect, it } from 'vitest'
import { checkHistory } from './check.js'
import { linesOf, readHistory, writeHistory } from './jsonl.js'
import { life } from './lives.spec-support.js'

const meta = JSON.stringify(life()[0])
const run = JSON.stringify(life().find(({ kind }) => kind === 'run'))
const read = (...lines: readonly string[]) => [...readHistory(lines)]

it('reads what it writes, and judges it the same', () => {
  const records = life()
  const text = [...writeHistory(records)].join('')
  const back = [...readHistory(linesOf(text))]
  expect(back).toEqual(JSON.parse(JSON.stringify(records)))
  expect(checkHistory(back)).toEqual(checkHistory(records))
})

it('splits a text into its lines', () => {
  expect([...linesOf('a\n\nb\n')]).toEqual(['a', '', 'b'])
  expect([...linesOf('a\nb')]).toEqual(['a', 'b'])
  expect([...linesOf('')]).toEqual([])
})

it('allows fields that it does not know, and blank lines', () => {
  expect(read(meta, '', '{"kind":"healed","at":1,"by":"hand"}')).toHaveLength(2)
})

it.each([
  ['line 2 is not JSON', [meta, '{"kind":']],
  ['line 1 is no record: it has no kind', ['[]']],
  ['line 2 is no record: it has no kind', [meta, '{"kind":7}']],
  ['line 2 is of an unknown kind, "toString"', [meta, '{"kind":"toString"}']],
  ['line 3 (end): at is missing', [meta, '', '{"kind":"end"}']],
  ['line 2 (healed): at is no number', [meta, '{"kind":"healed","at":"noon"}']],
  ['line 2 (run): run.taskId is missing', [meta, run?.replace(/"taskId":"[^"]*",/, '') ?? '']],
  ['line 2 (run): offset is no whole number', [meta, run?.replace(/"offset":\d+/, '"offset":1.5') ?? '']],
  ['line 1: version 2 is not known here, only 1', [meta.replace('"version":1', '"version":2')]],
  ['line 1: partitions is 0, must be 1 to 65536', [meta.replace('"partitions":2', '"partitions":0')]],
  ['there is no meta record in 1 lines', ['{"kind":"end","at":1}']],
] as const)('refuses with "%s"', (message, lines) => {
  expect(() => read(...lines)).toThrow(message)
})

import { describe, expect, it } from 'vitest'
import { readSet } from './set-file.js'

const daily = 'schedule: { interval: { every: 1, period: days } }'
const read = (text: string) => readSet([{ path: 'a.yaml', text }])
const problemsOf = (text: string) => read(text).problems.map(({ path, message }) => `${path} ${message}`)

describe('an entry', () => {
  it('says what an alias says, as that is elsewhere', () => {
    const { set, problems } = read(`set: ops
tasks:
  a: { task: x, ${daily}, kwargs: &common { tries: 3 } }
  b: { task: x, ${daily}, kwargs: *common, args: [*common] }
`)
    expect(problems).toEqual([])
    expect(set?.tasks.map(({ spec }) => [spec.kwargs, spec.args])).toEqual([
      [{ tries: 3 }, []],
      [{ tries: 3 }, [{ tries: 3 }]],
    ])
  })

  it('of a shared schedule or calendar is as the server keeps it', () => {
    const { set } = read(`set: ops
calendars:
  c: { days: { weekdays: [SAT, Sun], timezone: europe/warsaw }, description: Weekends }
`)
    expect(set?.calendars.map(({ value }) => value)).toEqual([
      { days: { weekdays: ['sat', 'sun'], timezone: 'Europe/Warsaw' }, description: 'Weekends' },
    ])
  })
})

it('a file of JSON may name its schema', () => {
  expect(problemsOf('{ "$schema": "sync.schema.json", "set": "ops" }')).toEqual([])
})

describe('what is wrong is told with file and line', () => {
  it.each([
    ['args: 5', 'a.yaml:5 args must be a list'],
    ['args: null', 'a.yaml:5 args must be a list'],
    ['catchUp: 5', 'a.yaml:5 catchUp must be a mapping'],
    ['labels: { "a,b": c }', 'a.yaml:5 labels.a,b must not have a comma'],
    ['reason: why', 'a.yaml:5 reason is no field of an entry'],
    ['name: other', 'a.yaml:5 name is another than "a"'],
    ['kwargs: *nothing', 'a.yaml:3 Unresolved alias'],
    ['kwargs: { n: .nan }', 'a.yaml:5 kwargs.n must be a finite number'],
  ])('%s', (field, problem) => {
    const problems = problemsOf(`set: ops\ntasks:\n  a:\n    ${daily}\n    ${field}\n    task: x\n`)
    expect(problems).toEqual([expect.stringContaining(problem)])
  })
})

import { describe, expect, it } from 'vitest'
import { input, spec } from './task.spec-support.js'
import { validateTaskSpec } from './validate.js'

const problemsOf = (more: object): readonly string[] => {
  const found = validateTaskSpec({ ...input, ...more })
  return found.ok ? [] : found.error.map(({ path, code }) => `${path} ${code}`)
}
const specOf = (more: object) => {
  const found = validateTaskSpec({ ...input, ...more })
  return found.ok ? found.value : found.error
}
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])

const accepted: readonly (readonly [string, object])[] = [
  ['a name of 200 characters', { name: 'x'.repeat(200) }],
  ['a name of 200 characters beyond the basic plane', { name: '🎉'.repeat(200) }],
  ['a name that NFC makes short enough', { name: 'e\u0301'.repeat(200) }],
  ['a name in another script', { name: 'żółw 新年' }],
  ['a name that looks like code', { name: `<script>'; DROP TABLE {{7*7}}` }],
  ['priority 0', { priority: 0 }],
  ['priority 255', { priority: 255 }],
  ['no priority', { priority: null }],
  ['nested headers', { headers: { priority: 9, retry_policy: { max_retries: 3 } } }],
  ['32 headers', { headers: Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`h${n}`, n])) }],
  ['arguments 32 levels deep', { args: nested(32) }],
  ['arguments of 64 KiB', { args: ['x'.repeat(65_536 - 4 - 2)] }],
  ['the largest safe integer', { args: [2 ** 53 - 1, -(2 ** 53 - 1)] }],
  ['what looks like another type', { kwargs: { $type: 'Buffer', data: [1], toJSON: 'x', constructor: 'y' } }],
  ['the longest queue and the longest routing key', { queue: 'q'.repeat(176), routingKey: 'k'.repeat(200) }],
  ['routes of letters, digits and . _ - : /', { queue: 'a.B_c-1:x/y', exchange: 'e', routingKey: 'k.1' }],
  ['expireSeconds 0', { expireSeconds: 0 }],
  ['a description of many lines', { description: 'one\n\ttwo\r\nthree' }],
  ['a jitter of milliseconds', { jitterSeconds: 0.001 }],
  ['a jitter that binary fractions miss', { jitterSeconds: 16.1 }],
  ['a jitter of a day', { jitterSeconds: 86_400 }],
  ['the first instant', { startTime: 0 }],
  ['the last instant', { expires: Date.UTC(9999, 11, 31, 23, 59, 59, 999) }],
  ['maxRuns 10000', { maxRuns: 10_000 }],
  ['a shared schedule', { schedule: { ref: 'nightly' } }],
  ['long labels, and empty ones', { labels: { team: 'x'.repeat(256), 'a/b.c': '' } }],
]

const refused: readonly (readonly [string, object, ...string[]])[] = [
  ['no name', { name: undefined }, 'name required'],
  ['an empty name', { name: '' }, 'name empty'],
  ['a name of blanks', { name: ' \u00a0\u3000' }, 'name empty'],
  ['a name of 201 characters', { name: 'x'.repeat(201) }, 'name too_long'],
  ['a name of a megabyte', { name: 'x'.repeat(1_000_000) }, 'name too_long'],
  ['NUL in a name', { name: 'a\0b' }, 'name control_character'],
  ['a line break in a name', { name: 'a\nb' }, 'name control_character'],
  ['a C1 control in a name', { name: 'a\u0085b' }, 'name control_character'],
  ['a line separator in a name', { name: 'a\u2028b' }, 'name control_character'],
  ['a lone surrogate in a name', { name: 'a\ud800b' }, 'name lone_surrogate'],
  ['a direction override in a name', { name: 'a\u202eb' }, 'name bidi_control'],
  ['a number for a name', { name: 1 }, 'name not_a_string'],
  ['null for a name', { name: null }, 'name not_a_string'],
  ['no task', { task: undefined }, 'task required'],
  ['a task of 201 characters', { task: 'x'.repeat(201) }, 'task too_long'],
  ['no schedule (case 1)', { schedule: undefined }, 'schedule required'],
  ['an empty schedule', { schedule: {} }, 'schedule no_kind'],
  [
    'two schedules (case 1)',
    { schedule: { interval: { every: 1, period: 'days' }, crontab: {} } },
    'schedule.interval several_kinds',
    'schedule.crontab several_kinds',
  ],
  [
    'a shared schedule and another',
    { schedule: { ref: 'x', crontab: {} } },
    'schedule.ref several_kinds',
    'schedule.crontab several_kinds',
  ],
  ['a shared schedule without a name', { schedule: { ref: '' } }, 'schedule.ref empty'],
  ['an unknown field beside ref', { schedule: { ref: 'x', zone: 'UTC' } }, 'schedule.zone unknown_key'],
  [
    'an interval of 0 (case 3)',
    { schedule: { interval: { every: 0, period: 'days' } } },
    /^schedule\.interval\.every /,
  ],
  ['31 February (case 8)', { schedule: { crontab: { expression: '0 0 31 2 *' } } }, /^schedule\.crontab/],
  [
    'latitude 90.000001 (case 4)',
    { schedule: { solar: { event: 'sunset', latitude: 90.000001, longitude: 0 } } },
    /^schedule\.solar\.latitude /,
  ],
  ['args an object (case 43)', { args: {} }, 'args not_a_list'],
  ['args a number (case 43)', { args: 1 }, 'args not_a_list'],
  ['kwargs a list (case 43)', { kwargs: [] }, 'kwargs not_an_object'],
  ['headers a list (case 43)', { headers: [] }, 'headers not_an_object'],
  ['a date in args', { args: [new Date(0)] }, 'args[0] not_json'],
  ['undefined in args', { args: [undefined] }, 'args[0] not_json'],
  ['a function in kwargs', { kwargs: { toJSON: () => 1 } }, 'kwargs.toJSON not_json'],
  ['a hole in args', { args: new Array(1) }, 'args[0] not_json'],
  ['numbers for names of arguments', { kwargs: { 1: 'x' } }, 'kwargs.1 bad_argument_name'],
  ['an unsafe integer, deep inside', { args: [{ x: [2 ** 53] }] }, 'args[0].x[0] unsafe_integer'],
  ['1e300', { args: [1e300] }, 'args[0] unsafe_integer'],
  ['NaN', { kwargs: { a: Number.NaN } }, 'kwargs.a not_finite'],
  ['a lone surrogate in args', { args: ['\udc00'] }, 'args[0] lone_surrogate'],
  ['arguments 33 levels deep', { args: nested(33) }, `args${'[0]'.repeat(32)} too_deep`],
  ['arguments 5000 levels deep', { args: nested(5000) }, `args${'[0]'.repeat(32)} too_deep`],
  ['arguments beyond 64 KiB', { args: ['x'.repeat(65_536 - 4 - 1)] }, 'args too_large'],
  ['kwargs beyond 64 KiB in UTF-8', { kwargs: { a: 'ż'.repeat(33_000) } }, 'kwargs too_large'],
  ['100000 values', { args: new Array(100_000).fill(0) }, 'args[69999] too_large'],
  ['__proto__ in args', { args: [JSON.parse('{"__proto__": {"x": 1}}')] }, 'args[0].__proto__ reserved_key'],
  ['__proto__ in headers', { headers: JSON.parse('{"__proto__": 1}') }, 'headers.__proto__ reserved_key'],
  [
    'constructor.prototype in kwargs',
    { kwargs: { constructor: { prototype: {} } } },
    'kwargs.constructor reserved_key',
  ],
  ['__proto__ as a label', { labels: JSON.parse('{"__proto__": "x"}') }, 'labels.__proto__ bad_label_key'],
  ['the header task (case 40)', { headers: { task: 'x' } }, 'headers.task reserved_header'],
  ['the header id, in capitals', { headers: { ID: 'x' } }, 'headers.ID reserved_header'],
  ['a header of ours', { headers: { 'Almanac-Run': 1 } }, 'headers.Almanac-Run reserved_header'],
  ['a line break in a header', { headers: { a: 'x\r\ny' } }, 'headers.a control_character'],
  ['a blank in the name of a header', { headers: { 'a b': 1 } }, 'headers.a b bad_header_name'],
  [
    '33 headers',
    { headers: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`h${n}`, n])) },
    'headers too_many',
  ],
  ['headers beyond 32 KiB', { headers: { a: 'x'.repeat(32_768) } }, 'headers too_large'],
  ['.. in a queue', { queue: 'a/../b' }, 'queue bad_route'],
  ['a queue named .', { queue: '.' }, 'queue bad_route'],
  ['a blank in a queue', { queue: 'a b' }, 'queue bad_route'],
  ['a line break in a queue', { queue: 'a\r\nb' }, 'queue control_character'],
  ['a queue of 201 characters', { queue: 'q'.repeat(201) }, 'queue too_long'],
  ['a queue that no topic could be named after', { queue: 'q'.repeat(177) }, 'queue too_long'],
  ['a queue whose topic would have a longer name', { queue: `${'q'.repeat(174)}/` }, 'queue too_long'],
  ['a queue that looks like an exchange', { queue: 'exchange:x' }, 'queue bad_route'],
  ['an exchange of 250 characters', { exchange: 'q'.repeat(250) }, 'exchange too_long'],
  ['an emoji in a routing key', { routingKey: '🎉' }, 'routingKey bad_route'],
  ['priority -1', { priority: -1 }, 'priority out_of_range'],
  ['priority 256', { priority: 256 }, 'priority out_of_range'],
  ['priority 1.5', { priority: 1.5 }, 'priority not_a_whole_number'],
  ['priority "5"', { priority: '5' }, 'priority not_a_whole_number'],
  ['priority true', { priority: true }, 'priority not_a_whole_number'],
  [
    'both expiries (case 2)',
    { expires: 1, expireSeconds: 0 },
    'expires both_expiries',
    'expireSeconds both_expiries',
  ],
  ['expireSeconds -1', { expireSeconds: -1 }, 'expireSeconds out_of_range'],
  ['expireSeconds 0.5', { expireSeconds: 0.5 }, 'expireSeconds not_a_whole_number'],
  ['an end before the start', { startTime: 2, expires: 1 }, 'expires expires_before_start'],
  ['an end at the start', { startTime: 2, expires: 2 }, 'expires expires_before_start'],
  ['an instant of 1969', { startTime: -1 }, 'startTime instant_out_of_range'],
  ['an instant of 10000', { expires: Date.UTC(10_000, 0) }, 'expires instant_out_of_range'],
  ['an instant in text', { startTime: '2026-01-01T00:00:00Z' }, 'startTime bad_instant'],
  ['maxRuns 0', { maxRuns: 0 }, 'maxRuns out_of_range'],
  ['maxRuns 10001', { maxRuns: 10_001 }, 'maxRuns out_of_range'],
  ['maxRuns of a one-off task', { maxRuns: 2, oneOff: true }, 'maxRuns one_off_has_one_run'],
  ['oneOff 1', { oneOff: 1 }, 'oneOff not_a_boolean'],
  ['enabled null', { enabled: null }, 'enabled not_a_boolean'],
  ['enabled "true"', { enabled: 'true' }, 'enabled not_a_boolean'],
  ['a description of 2001 characters', { description: 'x'.repeat(2001) }, 'description too_long'],
  ['NUL in a description', { description: '\0' }, 'description control_character'],
  [
    '33 labels',
    { labels: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`l${n}`, ''])) },
    'labels too_many',
  ],
  ['an empty key of a label', { labels: { '': 'x' } }, 'labels. empty'],
  ['a key of a label with =', { labels: { 'a=b': 'x' } }, 'labels.a=b bad_label_key'],
  ['a key of 64 characters', { labels: { [`${'k'.repeat(64)}`]: 'x' } }, `labels.${'k'.repeat(63)} too_long`],
  ['a label of 257 characters', { labels: { a: 'x'.repeat(257) } }, 'labels.a too_long'],
  ['a number for a label', { labels: { a: 1 } }, 'labels.a not_a_string'],
  ['an unknown policy', { catchUp: { policy: 'al' } }, 'catchUp.policy unknown_choice'],
  ['catchUp.max 1001 (row 67)', { catchUp: { max: 1001 } }, 'catchUp.max out_of_range'],
  ['catchUp.max 0', { catchUp: { max: 0 } }, 'catchUp.max out_of_range'],
  ['a window of 0', { catchUp: { windowSeconds: 0 } }, 'catchUp.windowSeconds out_of_range'],
  ['a window in text', { catchUp: { windowSeconds: '60' } }, 'catchUp.windowSeconds not_a_whole_number'],
  ['catchUp null', { catchUp: null }, 'catchUp not_an_object'],
  ['an unknown overlap', { overlap: 'queue' }, 'overlap unknown_choice'],
  ['jitter -1', { jitterSeconds: -1 }, 'jitterSeconds out_of_range'],
  ['jitter beyond a day', { jitterSeconds: 86_401 }, 'jitterSeconds out_of_range'],
  ['jitter NaN', { jitterSeconds: Number.NaN }, 'jitterSeconds out_of_range'],
  ['jitter of a tenth of a millisecond', { jitterSeconds: 0.0001 }, 'jitterSeconds too_fine'],
  ['maxAttempts 0', { maxAttempts: 0 }, 'maxAttempts out_of_range'],
  ['maxAttempts 101', { maxAttempts: 101 }, 'maxAttempts out_of_range'],
  ['a read-only field', { revision: 3 }, 'revision unknown_key'],
] as unknown as readonly (readonly [string, object, ...string[]])[]

describe('a task as users describe it', () => {
  it.each(accepted)('may have %s', (_, more) => {
    expect(problemsOf(more)).toEqual([])
  })

  const rows = refused.map(([name, more, ...expected]) => [name, more, expected] as const)
  it.each(rows)('may not have %s', (_, more, expected) => {
    const problems = problemsOf(more)
    expect(problems).toHaveLength(expected.length)
    for (const [index, code] of expected.entries()) expect(problems[index]).toMatch(code)
  })

  it('names the nearest field for one that is misspelt', () => {
    const found = validateTaskSpec({ ...input, enabeld: false })
    expect(found.ok ? [] : found.error).toEqual([
      { path: 'enabeld', code: 'unknown_key', message: 'is not known; did you mean enabled?' },
    ])
  })

  it('tells all problems at once, at most 50', () => {
    expect(problemsOf({ name: '', priority: 300, args: 1 })).toEqual([
      'name empty',
      'args not_a_list',
      'priority out_of_range',
    ])
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`a${n}`, 'x'.repeat(5000)]))
    expect(problemsOf({ kwargs: { ...many }, ...many }).length).toBeLessThanOrEqual(50)
  })

  it('brings names to NFC', () => {
    expect(specOf({ name: 'Cafe\u0301', schedule: { ref: 'e\u0301' } })).toEqual(
      spec({ name: 'Caf\u00e9', schedule: { ref: '\u00e9' } }),
    )
  })

  it('takes blank routes as none, and -0 as 0', () => {
    expect(specOf({ queue: '', exchange: '  ', routingKey: '\u00a0', args: [-0], priority: -0 })).toEqual(
      spec({ args: [0], priority: 0 }),
    )
  })

  it('copies what it takes over', () => {
    const args = [{ list: [1] }]
    const value = specOf({ args })
    args[0]?.list.push(2)
    expect(value).toEqual(spec({ args: [{ list: [1] }] }))
  })

  it.each([null, undefined, [], 'x', 1, new Map()])('is an object, not %s', (value) => {
    const found = validateTaskSpec(value)
    expect(found.ok ? '' : found.error[0]?.code).toBe('not_an_object')
  })
})

import { describe, expect, it } from 'vitest'
import { maxRunErrorLength, parseRunEvent, type RunEvent, runEventJson, runEventTypes } from './run-event.js'

const at = '2026-12-01T09:30:00.000Z'
const plain: RunEvent = {
  type: 'started',
  runId: 'r-1',
  at: Date.parse(at),
  attempt: 1,
  worker: null,
  error: null,
  retryAt: null,
}

const read = (changes: object = {}) =>
  parseRunEvent(JSON.stringify({ version: 1, type: 'started', runId: 'r-1', at, ...changes }))

const codeOf = (text: string) => {
  const result = parseRunEvent(text)
  return result.ok ? 'ok' : result.fault.code
}

describe('what a worker tells of a run', () => {
  it.each(runEventTypes)('comes back whole: %s', (type) => {
    const event = { ...plain, type, attempt: 3, worker: 'w ☾', error: 'broken' }
    expect(parseRunEvent(JSON.stringify(runEventJson(event)))).toEqual({ ok: true, event })
  })

  it('may be the least: who, what and when', () => {
    expect(read()).toEqual({ ok: true, event: plain })
    expect(read({ futureMember: { any: 'thing' } })).toEqual({ ok: true, event: plain })
  })

  it('tells of the next attempt with a failure, and with nothing else', () => {
    const failed = { type: 'failed', error: 'no', retryAt: at }
    expect(read(failed)).toMatchObject({ ok: true, event: { retryAt: Date.parse(at) } })
    expect(read({ ...failed, retryAt: null })).toMatchObject({ ok: true, event: { retryAt: null } })
    expect(read({ ...failed, type: 'succeeded' })).toMatchObject({ ok: false, fault: { code: 'bad_field' } })
  })

  it('keeps the beginning of an error that is too long', () => {
    const result = read({ type: 'failed', error: 'x'.repeat(maxRunErrorLength + 1) })
    expect(result.ok && result.event.error).toBe('x'.repeat(maxRunErrorLength))
  })

  it.each([
    ['', 'not_json'],
    ['{', 'not_json'],
    ['null', 'not_json'],
    ['[]', 'not_json'],
    ['7', 'not_json'],
    ['{}', 'unknown_version'],
    ['{"version":2}', 'unknown_version'],
    ['x'.repeat(5_000_000), 'too_long'],
  ])('is refused with what is wrong: %#', (text, code) => {
    expect(codeOf(text)).toBe(code)
  })

  it.each([
    [{ type: 'toString' }, 'type'],
    [{ type: undefined }, 'type'],
    [{ runId: '' }, 'runId'],
    [{ runId: 7 }, 'runId'],
    [{ runId: 'r'.repeat(201) }, 'runId'],
    [{ at: 'now' }, 'at'],
    [{ at: 1_700_000_000_000 }, 'at'],
    [{ attempt: 0 }, 'attempt'],
    [{ attempt: '1' }, 'attempt'],
    [{ attempt: 1e300 }, 'attempt'],
    [{ worker: 7 }, 'worker'],
    [{ worker: 'w'.repeat(256) }, 'worker'],
    [{ error: {} }, 'error'],
    [{ type: 'failed', retryAt: 'soon' }, 'retryAt'],
  ])('names the member that is wrong: %j', (changes, member) => {
    const result = read(changes)
    expect(result).toMatchObject({ ok: false, fault: { code: 'bad_field' } })
    expect(!result.ok && result.fault.message.startsWith(member)).toBe(true)
  })
})

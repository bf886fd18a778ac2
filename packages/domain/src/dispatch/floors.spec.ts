import { compile } from '@almanac/recurrence'
import { describe, expect, it } from 'vitest'
import { floorOf, floorsBehind, raised } from './floors.js'
import { dispatchInstant, nextOccurrence, occurrenceAfter } from './occurrence.js'
import type { Cursor, Definition } from './types.js'

const noon = Date.parse('2026-03-01T12:00:00Z')
const minute = 60_000

/** Every minute from noon on. */
function minutely(jitterMs: number, more: Partial<Definition> = {}): Definition {
  const recurrence = compile({ interval: { every: 1, period: 'minutes' } }, { anchor: noon })
  if (!recurrence.ok) throw new Error('no schedule')
  return {
    taskId: 'A',
    namespace: 'default',
    revision: 0,
    recurrence: recurrence.value,
    since: noon,
    notBefore: null,
    expires: null,
    finalAt: null,
    catchUp: { policy: 'latest', windowSeconds: null, max: 100 },
    overlap: 'allow',
    jitterMs,
    ...more,
  }
}

const scheduledAt = noon + minute
const long = minutely(50_000)
const short = minutely(5_000)
const dispatched = { long: dispatchInstant(long, scheduledAt), short: dispatchInstant(short, scheduledAt) }
/** A tick has decided so far: with the short jitter the occurrence is behind it, with the long one ahead. */
const between: Cursor = { at: dispatched.short + 1, taskId: '~' }
const floor = { taskId: 'A', since: noon, scheduledAt, dispatchAt: dispatched.long }

it('the long jitter reaches further than the short one', () => {
  expect(dispatched.short).toBeGreaterThanOrEqual(scheduledAt)
  expect(dispatched.long).toBeGreaterThan(between.at)
})

describe('floorOf', () => {
  it('is what ran without jitter and would come again with it', () => {
    expect(floorOf(long, between, undefined)).toEqual(floor)
  })

  it('is what ran with less jitter, however the definitions were armed', () => {
    expect(floorOf(long, between, short)).toEqual(floor)
    expect(floorOf({ ...long, since: noon - minute }, between, { ...short, since: noon })).toMatchObject({
      since: noon - minute,
      scheduledAt,
    })
  })

  it('is nothing for an occurrence that the former jitter still held back: it is decided once, by the new one', () => {
    expect(floorOf(long, between, minutely(45_000))).toBeUndefined()
    expect(floorOf(minutely(40_000), between, long)).toBeUndefined()
  })

  it('is what the former one did not have at all, though it held something else back', () => {
    const recurrence = compile({ interval: { every: 59, period: 'seconds' } }, { anchor: noon })
    if (!recurrence.ok) throw new Error('no schedule')
    const former = minutely(50_000, { recurrence: recurrence.value })
    const cursor = { at: scheduledAt, taskId: '~' }
    expect(nextOccurrence(former, cursor)?.scheduledAt).toBe(noon + 59_000)
    expect(floorOf(long, cursor, former)).toEqual(floor)
  })

  it('is what the former one did not have at all, since it was armed after it', () => {
    expect(floorOf(long, between, minutely(45_000, { since: scheduledAt }))).toEqual(floor)
  })

  it('is nothing without jitter, nor when the new jitter brings nothing behind the cursor', () => {
    expect(floorOf(minutely(0), between, undefined)).toBeUndefined()
    expect(floorOf(short, between, undefined)).toBeUndefined()
    expect(floorOf(long, { at: dispatched.long, taskId: 'A' }, undefined)).toBeUndefined()
    expect(floorOf(long, { at: noon + 1, taskId: '~' }, undefined)).toBeUndefined()
  })

  it('counts a dispatch at the instant of the cursor by the task id', () => {
    expect(floorOf(long, { at: dispatched.long, taskId: '0' }, undefined)).toEqual(floor)
    expect(floorOf(long, { at: dispatched.long, taskId: 'B' }, undefined)).toBeUndefined()
  })
})

describe('raised', () => {
  it('leaves out what is settled and nothing after it', () => {
    const left = raised(long, [floor])
    expect(occurrenceAfter(long, between.at)?.scheduledAt).toBe(scheduledAt)
    expect(nextOccurrence(left, between)?.scheduledAt).toBe(scheduledAt + minute)
    expect(left).toEqual({ ...long, since: scheduledAt })
  })

  it('holds for later definitions of the task, not for older ones, nor for other tasks', () => {
    const later = { ...long, since: noon + 10 }
    expect(raised(later, [floor]).since).toBe(scheduledAt)
    const older = { ...long, since: noon - 1 }
    const other = { ...long, taskId: 'B' }
    const done = { ...long, since: scheduledAt + minute }
    expect([older, other, done].map((each) => raised(each, [floor]) === each)).toEqual([true, true, true])
  })
})

it('a floor is kept until the cursor has passed the dispatch that it prevents', () => {
  const at = (instant: number) => floorsBehind([floor], { at: instant, taskId: '~' })
  expect(at(between.at)).toEqual([floor])
  expect(at(dispatched.long)).toEqual([floor])
  expect(at(dispatched.long + 1)).toEqual([])
})

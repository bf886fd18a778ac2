import { compile, type ScheduleValue } from '@almanac/recurrence'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CatchUp } from '../task/types.js'
import {
  compareCursor,
  dispatchInstant,
  lastTaskId,
  occurrenceAfter,
  occurrenceBefore,
} from './occurrence.js'
import { type Plan, type PlanInput, plan, type Retired } from './plan.js'
import type { Cursor, Definition, Skip } from './types.js'

const at = (iso: string) => Date.parse(iso)
const noon = at('2026-03-01T12:00:00Z')
const minute = 60_000
const hour = 60 * minute

const catchUp = (policy: CatchUp['policy'], rest: Partial<CatchUp> = {}): CatchUp => ({
  policy,
  windowSeconds: null,
  max: 100,
  ...rest,
})

function define(schedule: ScheduleValue, rest: Partial<Definition> = {}, anchor = noon): Definition {
  const recurrence = compile(schedule, { anchor })
  if (!recurrence.ok) throw new Error(JSON.stringify(recurrence.error))
  return {
    taskId: 'A',
    namespace: 'default',
    revision: 0,
    recurrence: recurrence.value,
    since: anchor,
    notBefore: null,
    expires: null,
    finalAt: null,
    catchUp: catchUp('latest'),
    overlap: 'allow',
    jitterMs: 0,
    ...rest,
  }
}

const every = (count: number, period: 'seconds' | 'minutes' | 'hours' = 'minutes'): ScheduleValue => ({
  interval: { every: count, period },
})

const start: Cursor = { at: noon, taskId: lastTaskId }

const planned = (definitions: readonly Definition[], now: number, rest: Partial<PlanInput> = {}): Plan =>
  plan({
    cluster: 'c',
    cursor: start,
    now,
    definitions,
    retired: [],
    armed: [],
    requests: [],
    busy: () => ({ running: 0, queued: 0 }),
    limits: { maxDecisions: 10_000, misfireGraceMs: 2_000 },
    ...rest,
  })

const when = (result: Plan) => result.runs.map((run) => new Date(run.scheduledAt).toISOString().slice(11, 19))

describe('plan', () => {
  it('runs what is due in the order of instant, then task id', () => {
    const b = define(every(1), { taskId: 'B' })
    const a = define(every(1), { taskId: 'A' })
    const result = planned([b, a], noon + minute)
    expect(result.runs.map((run) => run.taskId)).toEqual(['A', 'B'])
    expect(result.cursor).toEqual({ at: noon + minute, taskId: lastTaskId })
    expect(result.next.get('A')).toBe(noon + 2 * minute)
  })

  it('names runs as it is told to, and decides the same', () => {
    const definition = define(every(1))
    const named = planned([definition], noon + 2 * minute, {
      identify: ({ taskId }, at) => `${taskId}@${at}`,
    })
    const hashed = planned([definition], noon + 2 * minute)
    expect(named.runs.map((run) => run.runId)).toEqual([`A@${noon + 2 * minute}`])
    expect({ ...named, runs: named.runs.map((run) => ({ ...run, runId: '' })) }).toEqual({
      ...hashed,
      runs: hashed.runs.map((run) => ({ ...run, runId: '' })),
    })
  })

  it('is never early', () => {
    expect(planned([define(every(1))], noon + minute - 1).runs).toEqual([])
  })

  it('never decides anything at or before the cursor again, even when the clock has gone back', () => {
    const result = planned([define(every(1))], noon + minute, {
      cursor: { at: noon + hour, taskId: lastTaskId },
    })
    expect(result.runs).toEqual([])
    expect(result.cursor).toEqual({ at: noon + hour, taskId: lastTaskId })
  })

  describe('after downtime', () => {
    const sixHours = noon + 6 * hour + 10 * minute
    it('latest: one late run, the others are misfires in one line', () => {
      const result = planned([define(every(1, 'hours'))], sixHours)
      expect(when(result)).toEqual(['18:00:00'])
      expect(result.runs[0]?.kind).toBe('catchUp')
      expect(result.skips).toEqual([
        { taskId: 'A', reason: 'misfire', first: noon + hour, last: noon + 5 * hour, count: 5, revision: 0 },
      ])
    })
    it('all: every one with its own instant', () => {
      const result = planned([define(every(1, 'hours'), { catchUp: catchUp('all') })], sixHours)
      expect(when(result)).toEqual(['13:00:00', '14:00:00', '15:00:00', '16:00:00', '17:00:00', '18:00:00'])
      expect(result.skips).toEqual([])
    })
    it('all with max: the newest so many', () => {
      const result = planned([define(every(1, 'hours'), { catchUp: catchUp('all', { max: 2 }) })], sixHours)
      expect(when(result)).toEqual(['17:00:00', '18:00:00'])
      expect(result.skips).toMatchObject([{ reason: 'misfire', count: 4 }])
    })
    it('all with a window: those inside it', () => {
      const rest = { catchUp: catchUp('all', { windowSeconds: 2 * 3600 }) }
      expect(when(planned([define(every(1, 'hours'), rest)], sixHours))).toEqual(['17:00:00', '18:00:00'])
    })
    it('none: nothing late', () => {
      const result = planned([define(every(1, 'hours'), { catchUp: catchUp('none') })], sixHours)
      expect(result.runs).toEqual([])
      expect(result.skips).toMatchObject([{ reason: 'misfire', count: 6 }])
      expect(result.next.get('A')).toBe(noon + 7 * hour)
    })
    it('none still runs what is due on time', () => {
      const result = planned([define(every(1, 'hours'), { catchUp: catchUp('none') })], noon + 6 * hour)
      expect(when(result)).toEqual(['18:00:00'])
    })
    it('latest with a window that the newest has left: nothing', () => {
      const rest = { catchUp: catchUp('latest', { windowSeconds: 60 }) }
      const result = planned([define(every(1, 'hours'), rest)], sixHours)
      expect(result.runs).toEqual([])
      expect(result.skips).toMatchObject([{ reason: 'misfire', count: 6 }])
    })
    it('counts a year of missed seconds by arithmetic', () => {
      const year = 365 * 24 * hour
      const result = planned([define(every(1, 'seconds'))], noon + year + 500)
      expect(result.skips.reduce((sum, skip) => sum + skip.count, 0) + result.runs.length).toBe(year / 1000)
    })
  })

  it('ends at expires: what was missed before it is skipped as expired once it has passed', () => {
    const definition = define(every(10), { expires: noon + 35 * minute })
    const onTime = planned([definition], noon + 30 * minute, {
      cursor: { at: noon + 25 * minute, taskId: '~' },
    })
    expect(when(onTime)).toEqual(['12:30:00'])
    expect(onTime.next.get('A')).toBeNull()
    const late = planned([definition], noon + hour)
    expect(late.runs).toEqual([])
    expect(late.skips).toMatchObject([{ reason: 'expired', count: 3 }])
  })

  it('stops at the final occurrence', () => {
    const definition = define(every(1), { finalAt: noon + minute })
    const result = planned([definition], noon + minute)
    expect(when(result)).toEqual(['12:01:00'])
    expect(result.next.get('A')).toBeNull()
  })

  it('starts at the start time', () => {
    const definition = define(
      every(1, 'hours'),
      { notBefore: noon + 20 * minute, since: noon },
      noon + 20 * minute,
    )
    expect(when(planned([definition], noon + 21 * minute, { limits: grace(2 * minute) }))).toEqual([
      '12:20:00',
    ])
  })

  it('skips what a retired definition had due and undecided, with the reason', () => {
    const definition = define(every(1))
    const retired = [{ definition, until: noon + 3 * minute + 5, reason: 'disabled' as const }]
    expect(planned([], noon + hour, { retired }).skips).toEqual([
      {
        taskId: 'A',
        reason: 'disabled',
        first: noon + minute,
        last: noon + 3 * minute,
        count: 3,
        revision: 0,
      },
    ])
    expect(planned([], noon + hour, { retired, cursor: { at: noon + hour, taskId: '~' } }).skips).toEqual([])
  })

  it('emits requested runs under an id of their own', () => {
    const request = {
      taskId: 'A',
      namespace: 'default',
      revision: 3,
      eventId: 'e1',
      kind: 'manual' as const,
      instants: [noon],
    }
    const one = planned([], noon, { requests: [request] }).runs[0]
    const two = planned([], noon, { requests: [{ ...request, eventId: 'e2' }] }).runs[0]
    expect(one?.kind).toBe('manual')
    expect(one?.runId).not.toBe(two?.runId)
  })

  it('overlap skip: nothing new while a run is unfinished, also not twice in one tick', () => {
    const definition = define(every(1), { overlap: 'skip', catchUp: catchUp('all') })
    const busy = planned([definition], noon + 2 * minute, { busy: () => ({ running: 1, queued: 0 }) })
    expect(busy.runs).toEqual([])
    expect(busy.skips.map((skip) => skip.reason)).toEqual(['overlap', 'overlap'])
    const free = planned([definition], noon + 2 * minute)
    expect([free.runs.length, free.skips.length]).toEqual([1, 1])
  })

  it('overlap queueOne: one waits behind the running one', () => {
    const definition = define(every(1), { overlap: 'queueOne', catchUp: catchUp('all') })
    const result = planned([definition], noon + 2 * minute, { busy: () => ({ running: 1, queued: 0 }) })
    expect([result.runs.length, result.skips.length]).toEqual([1, 1])
  })

  it('goes on when the schedule of one task throws', () => {
    const broken = define(every(1), { taskId: 'B' })
    const throwing = {
      ...broken,
      recurrence: {
        ...broken.recurrence,
        next: () => {
          throw new Error('boom')
        },
      },
    }
    const result = planned([throwing, define(every(1))], noon + minute)
    expect(result.runs.map((run) => run.taskId)).toEqual(['A'])
    expect(result.poisoned.get('B')).toBe('boom')
  })

  it('splits a million-strong instant by the limit and by the horizon', () => {
    const definitions = ['A', 'B', 'C', 'D'].map((taskId) => define(every(1), { taskId }))
    const limits = { maxDecisions: 3, misfireGraceMs: 2_000 }
    const first = planned(definitions, noon + minute, { limits })
    expect(first.more).toBe(true)
    expect(first.cursor).toEqual({ at: noon + minute, taskId: 'C' })
    const second = planned(definitions, noon + minute, { limits, cursor: first.cursor })
    expect(second.runs.map((run) => run.taskId)).toEqual(['D'])
    const horizon = { at: noon + minute, taskId: 'B' }
    const cut = planned(definitions.slice(0, 2), noon + 5 * minute, { horizon, limits: grace(hour) })
    expect(cut.runs.map((run) => run.taskId)).toEqual(['A', 'B'])
    expect(cut.cursor).toEqual(horizon)
  })

  it('draws jitter from task and instant, below the next occurrence', () => {
    const definition = define(every(1), { jitterMs: 10 * minute })
    const first = occurrenceAfter(definition, noon)
    expect(first?.scheduledAt).toBe(noon + minute)
    expect(first?.dispatchAt).toBeLessThan(noon + 2 * minute)
    expect(occurrenceAfter(definition, noon)).toEqual(first)
  })

  it('leaves no occurrence without an outcome when jitter holds the last one back beyond its end', () => {
    const jitterMs = 9 * minute
    const free = define(every(10), { jitterMs })
    const last = dispatchInstant(free, noon + 30 * minute)
    const definition = { ...free, expires: noon + 31 * minute }
    expect(last).toBeGreaterThan(definition.expires + 1)
    const cursor = { at: dispatchInstant(free, noon + 10 * minute), taskId: lastTaskId }
    const late = planned([definition], last - 1, { cursor })
    expect(late.runs).toEqual([])
    expect(late.skips).toMatchObject([{ reason: 'expired', first: noon + 20 * minute, count: 1 }])
    expect(late.next.get('A')).toBe(last)
    const then = planned([definition], last, { cursor: late.cursor })
    expect(then.skips).toMatchObject([{ reason: 'expired', first: noon + 30 * minute, count: 1 }])
    expect(then.next.get('A')).toBeNull()
  })

  describe('what came to light after the cursor', () => {
    const cursor: Cursor = { at: noon + 10 * minute, taskId: lastTaskId }
    const policy = { catchUp: catchUp('all') }
    const first = define(every(1), policy)
    const skip = (reason: string, from: number, count: number, revision = 0) => ({
      taskId: 'A',
      reason,
      first: noon + from * minute,
      last: noon + (from + count - 1) * minute,
      count,
      revision,
    })
    const retire = (until: number, rest: Partial<Retired> = {}): Retired => ({
      definition: first,
      until: noon + until * minute + 1,
      reason: 'superseded',
      isUnseen: true,
      ...rest,
    })

    it('a definition that no tick has seen is skipped from its beginning, though that is behind the cursor', () => {
      expect(planned([], cursor.at, { cursor, retired: [retire(5)] }).skips).toEqual([
        skip('superseded', 1, 5),
      ])
      const seen = retire(5, { isUnseen: false })
      expect(planned([], cursor.at, { cursor, retired: [seen] }).skips).toEqual([])
    })

    it('created and edited: each occurrence once, with its own revision', () => {
      const edited = { ...first, since: noon + 5 * minute + 1, revision: 1 }
      const late = planned([edited], noon + 12 * minute, { cursor, armed: [edited], retired: [retire(5)] })
      expect(late.skips).toEqual([skip('superseded', 1, 5)])
      expect(late.runs.map((run) => [run.scheduledAt, run.revision])).toEqual(
        [6, 7, 8, 9, 10, 11, 12].map((count) => [noon + count * minute, 1]),
      )
      expect(new Set(late.runs.map((run) => run.runId)).size).toBe(7)
      expect(late.next.get('A')).toBe(noon + 13 * minute)
    })

    it('created, edited and disabled: each stretch with its own reason', () => {
      const edited = { ...first, since: noon + 5 * minute + 1, revision: 1 }
      const retired = [retire(5), retire(8, { definition: edited, reason: 'disabled' })]
      const late = planned([], noon + 12 * minute, { cursor, retired })
      expect(late.skips).toEqual([skip('superseded', 1, 5), skip('disabled', 6, 3, 1)])
      expect(late.runs).toEqual([])
    })

    it('is late by its own time, as any other', () => {
      const latest = define(every(1))
      const late = planned([], noon + 10 * minute + 1, { cursor, armed: [latest] })
      expect(when(late)).toEqual(['12:10:00'])
      expect(late.skips).toEqual([skip('misfire', 1, 9)])
    })

    it('is one stretch when it goes on behind the cursor', () => {
      const latest = define(every(1))
      const late = planned([latest], noon + 20 * minute + 1, { cursor, armed: [latest] })
      expect(when(late)).toEqual(['12:20:00'])
      expect(late.skips).toEqual([skip('misfire', 1, 19)])
    })

    it('does not move the cursor back', () => {
      const late = planned([first], noon + 10 * minute, { cursor, armed: [first] })
      expect(late.runs).toHaveLength(10)
      expect(late.cursor).toEqual(cursor)
    })

    it('with jitter: the one that is held back beyond the cursor is decided at its time, once', () => {
      const held = { ...first, jitterMs: 50_000 }
      const dispatchAt = dispatchInstant(held, noon + 9 * minute)
      const at = { at: dispatchAt - 1, taskId: lastTaskId }
      const late = planned([held], at.at, { cursor: at, armed: [held] })
      expect(late.runs).toHaveLength(8)
      expect(late.next.get('A')).toBe(dispatchAt)
      expect(when(planned([held], dispatchAt, { cursor: at }))).toEqual(['12:09:00'])
    })
  })
})

const grace = (misfireGraceMs: number) => ({ maxDecisions: 10_000, misfireGraceMs })

const schedules: readonly ScheduleValue[] = [
  every(7, 'seconds'),
  every(1),
  every(90),
  { crontab: { minute: '*/5' } },
  { crontab: { minute: '13,14,40-45', hour: '*/3', timezone: 'America/New_York' } },
  { crontab: { minute: '30', hour: '1-3', timezone: 'Europe/Warsaw' } },
]

const definitionOf = (index: number) =>
  fc
    .record({
      schedule: fc.constantFrom(...schedules),
      policy: fc.constantFrom('latest', 'all', 'none' as const),
      max: fc.integer({ min: 1, max: 8 }),
      window: fc.constantFrom(null, 30, 600, 7200),
      jitterMs: fc.constantFrom(0, 0, 1_500, 120_000),
      expires: fc.constantFrom(null, null, noon + 2 * hour + 1),
      finalAt: fc.constantFrom(null, null, noon + hour),
      notBefore: fc.constantFrom(null, null, noon + 45 * minute),
      since: fc.integer({ min: noon - hour, max: noon + hour }),
    })
    .map(({ schedule, policy, max, window, since, ...rest }) =>
      define(
        schedule,
        { taskId: `T${index}`, since, catchUp: { policy, max, windowSeconds: window }, ...rest },
        noon - hour,
      ),
    )

const definitions = fc.tuple(definitionOf(0), definitionOf(1), definitionOf(2))

/** Skipped occurrences one by one, so that stretches cut anywhere compare equal. */
function listed(skips: readonly Skip[], all: readonly Definition[]): string[] {
  const found: string[] = []
  for (const skip of skips) {
    const definition = all.find((candidate) => candidate.taskId === skip.taskId)
    if (definition === undefined) throw new Error('skip of an unknown task')
    const floor = Math.max(definition.since, (definition.notBefore ?? 0) - 1)
    let count = 0
    for (let next = definition.recurrence.next(Math.max(skip.first - 1, floor)); next !== undefined; ) {
      if (next > skip.last) break
      found.push(`${skip.taskId} ${next} ${skip.reason}`)
      count += 1
      next = definition.recurrence.next(next)
    }
    expect(count).toBe(skip.count)
  }
  return found.sort()
}

const outcomes = (plans: readonly Plan[], all: readonly Definition[]) => ({
  runs: plans.flatMap((result) => result.runs.map((run) => `${run.taskId} ${run.scheduledAt} ${run.kind}`)),
  skips: listed(
    plans.flatMap((result) => result.skips),
    all,
  ),
})

describe('plan, for any definitions', () => {
  it('decides the same whole or cut anywhere: by limits and by cursor', () => {
    fc.assert(
      fc.property(
        definitions,
        fc.integer({ min: 0, max: 3 * hour }),
        fc.integer({ min: 1, max: 40 }),
        (all, span, limit) => {
          const now = noon + span
          const whole = outcomes([planned(all, now)], all)
          const parts: Plan[] = []
          let cursor = start
          for (;;) {
            const limits = { maxDecisions: limit, misfireGraceMs: 2_000 }
            const part = planned(all, now, { cursor, limits })
            expect(
              compareCursor(part.cursor.at, part.cursor.taskId, cursor.at, cursor.taskId),
            ).toBeGreaterThanOrEqual(0)
            parts.push(part)
            cursor = part.cursor
            if (!part.more) break
          }
          expect(outcomes(parts, all)).toEqual(whole)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('decides the same when only the due tasks up to a horizon are given, as the due index gives them', () => {
    fc.assert(
      fc.property(
        definitions,
        fc.integer({ min: 0, max: 2 * hour }),
        fc.integer({ min: 1, max: 2 }),
        (all, span, size) => {
          const now = noon + span
          const whole = outcomes([planned(all, now)], all)
          const due = new Map(
            all.map((definition) => [
              definition.taskId,
              occurrenceAfter(definition, noon)?.dispatchAt ?? null,
            ]),
          )
          const parts: Plan[] = []
          let cursor = start
          for (let more = true; more; ) {
            const waiting = [...due].flatMap(([taskId, at]) =>
              at !== null && at <= now ? [{ taskId, at }] : [],
            )
            waiting.sort((a, b) => compareCursor(a.at, a.taskId, b.at, b.taskId))
            const taken = waiting.slice(0, size)
            const last = taken.at(-1)
            const horizon = waiting.length > size && last !== undefined ? { horizon: last } : {}
            const given = all.filter((definition) => taken.some((item) => item.taskId === definition.taskId))
            const part = planned(given, now, { cursor, ...horizon })
            for (const [taskId, at] of part.next) due.set(taskId, at)
            parts.push(part)
            cursor = part.cursor
            more = part.more
          }
          expect(outcomes(parts, all).skips).toEqual(whole.skips)
          expect(outcomes(parts, all).runs.sort()).toEqual([...whole.runs].sort())
        },
      ),
      { numRuns: 300 },
    )
  })

  it('gives every occurrence exactly one outcome, never early, in order of its task', () => {
    fc.assert(
      fc.property(
        definitions,
        fc.array(fc.integer({ min: 1, max: 40 * minute }), { maxLength: 12 }),
        (all, steps) => {
          let now = noon
          let cursor = start
          const parts: Plan[] = []
          for (const step of steps) {
            now += step
            const part = planned(all, now, { cursor })
            for (const run of part.runs) expect(run.dispatchAt).toBeLessThanOrEqual(now)
            parts.push(part)
            cursor = part.cursor
          }
          const { runs, skips } = outcomes(parts, all)
          const decided = [...runs, ...skips].map((line) => line.split(' ').slice(0, 2).join(' ')).sort()
          const expected: string[] = []
          for (const definition of all) {
            for (
              let next = occurrenceAfter(definition, noon);
              next !== undefined && next.dispatchAt <= now;
            ) {
              expected.push(`${definition.taskId} ${next.scheduledAt}`)
              next = occurrenceAfter(definition, next.dispatchAt)
            }
            const mine = parts.flatMap((part) => part.runs).filter((run) => run.taskId === definition.taskId)
            expect(mine.map((run) => run.scheduledAt)).toEqual(
              mine.map((run) => run.scheduledAt).sort((a, b) => a - b),
            )
          }
          expect(decided).toEqual(expected.sort())
        },
      ),
      { numRuns: 300 },
    )
  })

  it('finds the last occurrence before an instant as the walk does', () => {
    fc.assert(
      fc.property(definitionOf(0), fc.integer({ min: 0, max: 3 * hour }), (definition, span) => {
        const until = noon - hour + span
        let last: number | undefined
        for (let next = occurrenceAfter(definition, 0); next !== undefined && next.dispatchAt <= until; ) {
          last = next.scheduledAt
          next = occurrenceAfter(definition, next.dispatchAt)
        }
        expect(occurrenceBefore(definition, until)?.scheduledAt).toBe(last)
      }),
      { numRuns: 500 },
    )
  })
})

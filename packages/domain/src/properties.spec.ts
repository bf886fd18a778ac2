import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideCalendar } from './calendar/calendar.js'
import { canonical } from './canonical.js'
import { minute, noon, recorded } from './decider.spec-support.js'
import type { RecordedEvent } from './event.js'
import { decideSchedule } from './schedule/schedule.js'
import { decideTask, evolveTask, type TaskCommand } from './task/task.js'
import { everyMinute, input, lookups, nightly } from './task/task.spec-support.js'
import type { TaskState } from './task/types.js'

const world = lookups({ nightly }, {})

/** Edits of single fields, good and bad ones. */
const changes = fc.oneof(
  fc.record(
    {
      name: fc.constantFrom('a', 'b', ''),
      schedule: fc.constantFrom(everyMinute, nightly, { ref: 'nightly' }, { ref: 'gone' }),
      startTime: fc.option(fc.integer({ min: noon - 10 * minute, max: noon + 10 * minute })),
      expires: fc.option(fc.integer({ min: noon, max: noon + 20 * minute })),
      oneOff: fc.boolean(),
      maxRuns: fc.option(fc.integer({ min: 0, max: 5 })),
      enabled: fc.boolean(),
      kwargs: fc.dictionary(fc.string(), fc.jsonValue()),
      labels: fc.dictionary(fc.string(), fc.string()),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
)

const commands: fc.Arbitrary<TaskCommand> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('change' as const), changes }) },
  fc.record({
    type: fc.constant('replace' as const),
    input: changes.map((some) => ({ ...input, ...Object(some) })),
  }),
  fc.constantFrom<TaskCommand>(
    { type: 'enable' },
    { type: 'disable', cause: 'requested' },
    { type: 'disable', cause: 'completed' },
    { type: 'disable', cause: 'expired' },
    { type: 'resetHistory' },
    { type: 'quarantine', code: 'c', message: 'm' },
    { type: 'abandon' },
    { type: 'create', taskId: 'T1', input },
  ),
  fc.record({
    type: fc.constant('trigger' as const),
    override: fc.oneof(fc.jsonValue(), fc.constant({ args: [] })),
  }),
  fc.record({
    type: fc.constant('backfill' as const),
    range: fc.oneof(fc.jsonValue(), fc.constant({ from: noon, until: noon, max: 3 })),
  }),
)

/** What the commands made, as it comes out of a log: through JSON. */
function history(sequence: readonly TaskCommand[]): readonly RecordedEvent[] {
  const events: RecordedEvent[] = []
  let state: TaskState | undefined
  for (const [index, command] of [{ type: 'create', taskId: 'T1', input } as const, ...sequence].entries()) {
    const at = noon + index * minute
    const decision = decideTask(state, command, { at, lookups: world })
    for (const event of decision.ok ? decision.value : []) {
      const next = recorded('task-00-T1', events.length, event, { at })
      events.push(JSON.parse(JSON.stringify(next)))
      state = evolveTask(state, next)
    }
  }
  return events
}

const fold = (events: readonly RecordedEvent[], from?: TaskState) =>
  events.reduce<TaskState | undefined>((state, event) => evolveTask(state, event), from)

describe('a task', () => {
  it('is the same folded at once, in two parts, and from events that were never in JSON', () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 12 }), fc.nat(), (sequence, split) => {
        const events = history(sequence)
        const at = split % (events.length + 1)
        const whole = fold(events)
        expect(fold(events.slice(at), fold(events.slice(0, at)))).toEqual(whole)
        expect(canonical(JSON.parse(JSON.stringify(whole)))).toBe(canonical(whole))
      }),
      { numRuns: 300 },
    )
  })

  it('counts its runs within limits, is armed in its own past, and keeps its revision in step', () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 12 }), (sequence) => {
        const events = history(sequence)
        const state = fold(events)
        if (state === undefined) throw new Error('it was created')
        const limit = state.spec.oneOff ? 1 : state.spec.maxRuns
        expect(state.runsLeft === null).toBe(limit === null)
        expect(state.runsLeft ?? 0).toBeLessThanOrEqual(limit ?? 0)
        expect(state.runsLeft ?? 0).toBeGreaterThanOrEqual(0)
        expect(state.armedAt).toBeLessThanOrEqual(state.changedAt)
        expect(state.revision).toBe(events.length - 1)
        expect(state.anchor).toBe(state.spec.startTime ?? state.createdAt)
      }),
      { numRuns: 300 },
    )
  })

  it('changes nothing by a change to what it is', () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 8 }), (sequence) => {
        const state = fold(history(sequence))
        const context = { at: noon + 100 * minute, lookups: world }
        expect(decideTask(state, { type: 'change', changes: state?.spec }, context)).toEqual({
          ok: true,
          value: [],
        })
      }),
      { numRuns: 200 },
    )
  })
})

describe('deciders', () => {
  const hostile = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        name: fc.jsonValue(),
        task: fc.jsonValue(),
        schedule: fc.oneof(
          fc.jsonValue(),
          fc.record({ crontab: fc.jsonValue() }),
          fc.record({ union: fc.jsonValue() }),
        ),
        days: fc.jsonValue(),
        args: fc.jsonValue(),
        headers: fc.jsonValue(),
        catchUp: fc.jsonValue(),
        labels: fc.jsonValue(),
        expires: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  )

  it('answer any JSON with a decision', () => {
    const state = fold(history([]))
    const context = { at: noon, lookups: world }
    fc.assert(
      fc.property(hostile, (json) => {
        const decisions = [
          decideTask(undefined, { type: 'create', taskId: 'T1', input: json }, context),
          decideTask(state, { type: 'change', changes: json }, context),
          decideTask(state, { type: 'replace', input: json }, context),
          decideTask(state, { type: 'trigger', override: json }, context),
          decideTask(state, { type: 'backfill', range: json }, context),
          decideSchedule(undefined, { type: 'create', scheduleId: 'S', input: json }, context),
          decideCalendar(undefined, { type: 'create', calendarId: 'C', input: json }),
        ]
        for (const decision of decisions) {
          if (!decision.ok && decision.error.code === 'invalid')
            expect(decision.error.problems).not.toEqual([])
        }
      }),
      { numRuns: 500 },
    )
  })
})

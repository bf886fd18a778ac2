import { describe, expect, it } from 'vitest'
import { eventHash } from '../canonical.js'
import { hour, minute, noon, recorded, specification } from '../decider.spec-support.js'
import { taskStream } from '../ids.js'
import { decideTask, evolveTask } from './task.js'
import { created, everyMinute, input, lookups, nightly, spec } from './task.spec-support.js'
import type { TaskEvent } from './types.js'

const at = noon + hour
const given = specification({
  stream: taskStream('T1'),
  decide: decideTask,
  evolve: evolveTask,
  context: { at, lookups: lookups() },
})
const create = (more: object = {}) =>
  ({ type: 'create', taskId: 'T1', input: { ...input, ...more } }) as const
const change = (changes: object) => ({ type: 'change', changes }) as const
const disabled: TaskEvent = { type: 'TaskDisabled', data: { cause: 'requested' } }
const enabled = (runsLeft: number | null = null): TaskEvent => ({ type: 'TaskEnabled', data: { runsLeft } })
const deleted: TaskEvent = { type: 'TaskDeleted', data: { cause: 'requested' } }
const quarantined: TaskEvent = { type: 'TaskQuarantined', data: { code: 'broken', message: 'why' } }

describe('create', () => {
  it('fills in every default', () => {
    given().when(create()).thenEvents(created())
  })

  it('keeps what was said, and brings imported history along', () => {
    const imported = { lastRunAt: noon - hour, totalRunCount: 42, anchor: noon - hour }
    const more = { queue: ' ', priority: 9, args: [1], kwargs: { a: 'b' }, maxRuns: 3, startTime: at + hour }
    given()
      .when({ ...create(more), imported })
      .thenEvents({
        type: 'TaskCreated',
        data: { taskId: 'T1', spec: spec({ ...more, queue: null }), imported },
      })
  })

  it('refuses bad imported history', () => {
    const imported = { lastRunAt: 'x', totalRunCount: -1, anchor: 0.5 } as never
    given()
      .when({ ...create(), imported })
      .thenRefused(
        'invalid',
        'imported.lastRunAt bad_instant',
        'imported.totalRunCount out_of_range',
        'imported.anchor bad_instant',
      )
  })

  it('is refused for an id that has a history, a deleted or an abandoned one too', () => {
    given(created()).when(create()).thenRefused('already_exists')
    given(created(), deleted).when(create()).thenRefused('already_exists')
    given({ type: 'TaskAbandoned', data: {} }).when(create()).thenRefused('already_exists')
  })

  it('takes a shared schedule that there is, and no other', () => {
    const ref = create({ schedule: { ref: 'nightly' } })
    given()
      .when(ref, { lookups: lookups({ nightly }) })
      .thenEvents(created({ schedule: { ref: 'nightly' } }))
    given().when(ref).thenRefused('schedule_unknown', 'schedule.ref unknown_schedule')
  })

  it('needs oneOff for a clocked schedule, shared or not, but not for a union of them (case 2)', () => {
    const clocked = { clocked: { at: '2027-01-01T00:00:00Z' } }
    given()
      .when(create({ schedule: clocked }))
      .thenRefused('invalid', 'oneOff clocked_needs_one_off')
    given()
      .when(create({ schedule: { ref: 'once' } }), { lookups: lookups({ once: clocked }) })
      .thenRefused('invalid', 'oneOff clocked_needs_one_off')
    given()
      .when(create({ schedule: clocked, oneOff: true }))
      .thenEvents(created({ schedule: clocked, oneOff: true }))
    given()
      .when(create({ schedule: { union: [clocked] } }))
      .thenEvents(created({ schedule: { union: [clocked] } }))
  })

  it('takes a clocked instant that is past: it fires at once (case 14)', () => {
    const schedule = { clocked: { at: '2020-01-01T00:00:00Z' } }
    given()
      .when(create({ schedule, oneOff: true }))
      .thenEvents(created({ schedule, oneOff: true }))
  })

  it('refuses a schedule that never fires, with the reason', () => {
    const never = { except: { base: nightly, exclude: [nightly] } }
    given()
      .when(create({ schedule: never }))
      .thenRefused('invalid', 'schedule never_fires')
    const past = { union: [{ clocked: { at: '2020-01-01T00:00:00Z' } }] }
    given()
      .when(create({ schedule: past }))
      .thenRefused('invalid', 'schedule never_fires')
  })

  it('takes a calendar that there is, and no other', () => {
    const schedule = { except: { base: nightly, exclude: [{ calendar: { ref: 'holidays' } }] } }
    given()
      .when(create({ schedule }))
      .thenRefused('calendar_unknown', 'schedule.except.exclude[0].calendar.ref unknown_calendar')
    given()
      .when(create({ schedule }), { lookups: lookups({}, { holidays: { annual: ['12-25'] } }) })
      .thenEvents(created({ schedule }))
  })
})

describe('change', () => {
  it('tells the changed fields only, and makes nothing of none', () => {
    given(created()).when(change(input)).thenNothing()
    given(created()).when(change({})).thenNothing()
    given(created())
      .when(change({ ...input, description: 'new', priority: 5 }))
      .thenEvents({
        type: 'TaskChanged',
        data: { changes: { description: 'new', priority: 5 }, rearmed: false, runsLeft: null },
      })
  })

  it('leaves the rhythm alone when it leaves the schedule alone (case 25)', () => {
    const { state } = given(created({ maxRuns: 3 }))
    given(created({ maxRuns: 3 }))
      .when(change({ args: ['x'], description: 'y' }))
      .thenState({ armedAt: state?.armedAt ?? 0, runsLeft: 3, anchor: noon })
  })

  it.each([
    ['schedule', { schedule: nightly }],
    ['startTime', { startTime: at + hour }],
    ['oneOff', { oneOff: true }],
    ['maxRuns', { maxRuns: 3 }],
  ])('starts the rhythm anew when %s changes', (_, changes) => {
    given(created())
      .when(change(changes))
      .thenState({ armedAt: noon + minute })
  })

  it('lays the grid from the new start time, or from the creation when it is taken away', () => {
    given(created())
      .when(change({ startTime: at }))
      .thenState({ anchor: at })
    given(created({ startTime: at }))
      .when(change({ startTime: null }))
      .thenState({ anchor: noon })
  })

  it('counts what has run off the limit when the schedule changes', () => {
    // Every minute since noon: at 12:03 three of ten have run.
    given(created({ maxRuns: 10 }))
      .when(change({ schedule: nightly }), { at: noon + 3 * minute })
      .thenEvents({
        type: 'TaskChanged',
        data: { changes: { schedule: nightly }, rearmed: true, runsLeft: 7 },
      })
    given(created({ maxRuns: 10 }))
      .when(change({ schedule: nightly }), { at: noon + hour })
      .thenState({ runsLeft: 0 })
  })

  it('does not let a one-off task that has run run again by an edit', () => {
    given(created({ oneOff: true }))
      .when(change({ schedule: nightly }), { at: noon + 2 * minute })
      .thenState({ runsLeft: 0 })
    given(created({ oneOff: true }))
      .when(change({ schedule: nightly }), { at: noon + 30_000 })
      .thenState({ runsLeft: 1 })
  })

  it('counts nothing before the start time or after the end', () => {
    const start = noon + 10 * minute
    given(created({ maxRuns: 10, startTime: start }))
      .when(change({ schedule: nightly }), { at: start + minute })
      .thenState({ runsLeft: 8 })
    given(created({ maxRuns: 10, expires: noon + 3 * minute }))
      .when(change({ schedule: nightly }), { at: noon + 9 * minute })
      .thenState({ runsLeft: 8 })
  })

  it('gives a new limit in full, and a disabled task its own', () => {
    given(created({ maxRuns: 10 }))
      .when(change({ maxRuns: 5 }))
      .thenState({ runsLeft: 5 })
    given(created({ maxRuns: 10, enabled: false }))
      .when(change({ schedule: nightly }))
      .thenState({ runsLeft: 10 })
  })

  it('enables and disables by events of their own', () => {
    given(created())
      .when(change({ enabled: false }))
      .thenEvents(disabled)
    given(created({ maxRuns: 2, enabled: false }))
      .when(change({ enabled: true, description: 'on' }))
      .thenEvents(
        {
          type: 'TaskChanged',
          data: { changes: { description: 'on' }, rearmed: false, runsLeft: 2 },
        },
        enabled(2),
      )
  })

  it('asks for the shared schedule only when the schedule changes', () => {
    const gone = created({ schedule: { ref: 'gone' } })
    given(gone)
      .when(change({ description: 'x' }))
      .thenState({ revision: 1 })
    given(gone)
      .when(change({ startTime: at }))
      .thenRefused('schedule_unknown', 'schedule.ref unknown_schedule')
  })

  it('checks the whole: a field that was fine may not be with the new one', () => {
    given(created({ expires: at + hour }))
      .when(change({ expireSeconds: 0 }))
      .thenRefused('invalid', 'expires both_expiries', 'expireSeconds both_expiries')
  })

  it('fills catchUp from what it was', () => {
    const catchUp = { policy: 'all', windowSeconds: 60, max: 5 } as const
    given(created({ catchUp }))
      .when(change({ catchUp: { max: 6 } }))
      .thenState({ spec: spec({ catchUp: { ...catchUp, max: 6 } }) })
  })

  it('refuses null where a value must be, and lets it empty what may be empty', () => {
    given(created({ queue: 'q', expires: at + hour }))
      .when(change({ queue: null, expires: null }))
      .thenState({ spec: spec() })
    given(created())
      .when(change({ enabled: null, labels: null, description: null }))
      .thenRefused('invalid', 'enabled not_a_boolean', 'description not_a_string', 'labels not_an_object')
  })

  it('takes a task out of quarantine', () => {
    given(created(), quarantined)
      .when(change({ schedule: nightly }))
      .thenState({ quarantine: null })
  })
})

describe('replace', () => {
  it('puts the default where the input has nothing', () => {
    given(created({ queue: 'q', description: 'x' }))
      .when({ type: 'replace', input })
      .thenEvents({
        type: 'TaskChanged',
        data: { changes: { queue: null, description: '' }, rearmed: false, runsLeft: null },
      })
    given(created()).when({ type: 'replace', input }).thenNothing()
    given(created())
      .when({ type: 'replace', input: { name: 'backup' } })
      .thenRefused('invalid', 'task required', 'schedule required')
  })
})

describe('enable and disable', () => {
  it('arms anew, in full', () => {
    given(created({ maxRuns: 4 }), disabled)
      .when({ type: 'enable' })
      .thenEvents(enabled(4))
    given(created({ oneOff: true }), disabled)
      .when({ type: 'enable' })
      .thenState({ armedAt: noon + 2 * minute, runsLeft: 1, disabledCause: null })
  })

  it('does nothing to a task that is so already', () => {
    given(created()).when({ type: 'enable' }).thenNothing()
    given(created(), disabled).when({ type: 'disable', cause: 'requested' }).thenNothing()
  })

  it('enables a task in quarantine, although it is enabled', () => {
    given(created(), quarantined).when({ type: 'enable' }).thenEvents(enabled())
  })

  it('tells why a task is disabled', () => {
    const event = recorded(taskStream('T1'), 1, disabled, { reason: 'maintenance' })
    const state = evolveTask(given(created()).state, event)
    expect(state).toMatchObject({ disabledCause: 'requested', disabledReason: 'maintenance' })
    expect(state?.spec.enabled).toBe(false)
  })

  it('keeps the history of a task that ended (cases 30 and 32)', () => {
    given(created({ oneOff: true }))
      .when({ type: 'disable', cause: 'completed' })
      .thenState({ disabledCause: 'completed', runsLeft: 1, armedAt: noon })
  })

  it('does not take the scheduler at its word when the task has an occurrence left', () => {
    const done = { type: 'disable', cause: 'completed' } as const
    given(created({ maxRuns: 2 }))
      .when(done, { at: noon + minute })
      .thenNothing()
    given(created({ maxRuns: 2 }))
      .when(done, { at: noon + 2 * minute })
      .thenState({ disabledCause: 'completed' })
    given(created()).when(done).thenNothing()
    given(created({ oneOff: true }))
      .when({ ...done, armedAt: noon - 1 })
      .thenNothing()
  })

  it('expires a task only when its end has come', () => {
    const expired = { type: 'disable', cause: 'expired' } as const
    given(created({ expires: at + 1 }))
      .when(expired)
      .thenNothing()
    given(created({ expires: at }))
      .when(expired)
      .thenState({ disabledCause: 'expired' })
    given(created()).when(expired).thenNothing()
  })
})

describe('trigger', () => {
  it('works for disabled tasks too (case 42), and leaves the rhythm alone', () => {
    given(created(), disabled)
      .when({ type: 'trigger', override: {} })
      .thenEvents({ type: 'TaskTriggered', data: {} })
    given(created({ maxRuns: 2 }))
      .when({ type: 'trigger', override: {} })
      .thenState({ runsLeft: 2, armedAt: noon })
  })

  it('takes other arguments for one run', () => {
    given(created())
      .when({ type: 'trigger', override: { args: [1], kwargs: { a: 2 } } })
      .thenEvents({ type: 'TaskTriggered', data: { args: [1], kwargs: { a: 2 } } })
    given(created())
      .when({ type: 'trigger', override: { args: {}, kwargs: [] } })
      .thenRefused('invalid', 'args not_a_list', 'kwargs not_an_object')
    given(created())
      .when({ type: 'trigger', override: { arg: [] } })
      .thenRefused('invalid', 'arg unknown_key')
  })
})

describe('backfill', () => {
  const backfill = (range: unknown) => ({ type: 'backfill', range }) as const

  it('takes a range of the past', () => {
    const range = { from: noon, until: at, max: 1000 }
    given(created()).when(backfill(range)).thenEvents({ type: 'TaskBackfillRequested', data: range })
  })

  it.each([
    [{ from: at, until: noon, max: 1 }, 'from range_reversed'],
    [{ from: noon, until: at + 1, max: 1 }, 'until in_the_future'],
    [{ from: noon, until: at, max: 0 }, 'max out_of_range'],
    [{ from: noon, until: at, max: 1001 }, 'max out_of_range'],
    [{ from: noon, until: at }, 'max required'],
    [{ from: -1, until: at, max: 1 }, 'from instant_out_of_range'],
    [{ from: 0.5, until: at, max: 1 }, 'from bad_instant'],
    [null, ' not_an_object'],
  ])('refuses %j', (range, code) => {
    const found = decideTask(given(created()).state, backfill(range), { at, lookups: lookups() })
    const problems = found.ok ? [] : (found.error.problems ?? [])
    expect(problems.map((problem) => `${problem.path} ${problem.code}`)).toContain(code)
  })
})

describe('reset, quarantine, delete, abandon', () => {
  it('counts anew from a reset', () => {
    given(created({ maxRuns: 5 }))
      .when({ type: 'resetHistory' })
      .thenState({ historyResetAt: noon + minute, armedAt: noon + minute, runsLeft: 5 })
  })

  it('quarantines once for one reason', () => {
    const quarantine = { type: 'quarantine', code: 'broken', message: 'why' } as const
    given(created()).when(quarantine).thenEvents(quarantined)
    given(created(), quarantined).when(quarantine).thenNothing()
    given(created(), quarantined)
      .when({ ...quarantine, message: 'another' })
      .thenState({ quarantine: { code: 'broken', message: 'another' } })
  })

  it('finds no deleted task', () => {
    given(created()).when({ type: 'delete', cause: 'requested' }).thenEvents(deleted)
    for (const command of [
      { type: 'delete', cause: 'requested' },
      { type: 'enable' },
      change({ description: 'x' }),
      { type: 'trigger', override: {} },
    ] as const) {
      given(created(), deleted).when(command).thenRefused('not_found')
      given().when(command).thenRefused('not_found')
    }
  })

  it('abandons only a stream that has nothing in it', () => {
    given().when({ type: 'abandon' }).thenEvents({ type: 'TaskAbandoned', data: {} })
    given(created()).when({ type: 'abandon' }).thenRefused('already_exists')
    expect(given({ type: 'TaskAbandoned', data: {} }).state).toMatchObject({
      taskId: 'T1',
      status: 'abandoned',
      revision: 0,
    })
  })
})

describe('evolve', () => {
  it('takes revision, time, actor and hash from the event', () => {
    const event = recorded(taskStream('T1'), 1, disabled, { actor: 'bob' })
    expect(evolveTask(given(created()).state, event)).toMatchObject({
      revision: 1,
      changedAt: noon + minute,
      changedBy: 'bob',
      createdAt: noon,
      hash: eventHash(event),
    })
  })

  it('moves revision and hash, and nothing else, at an event that it does not know', () => {
    const { state } = given(created())
    const event = recorded(taskStream('T1'), 1, { type: 'TaskPainted', data: null })
    expect(evolveTask(state, event)).toEqual({
      ...state,
      revision: 1,
      changedAt: noon + minute,
      changedBy: 'alice',
      hash: eventHash(event),
    })
    expect(evolveTask(undefined, event)).toBeUndefined()
  })

  it('starts the grid where an import says', () => {
    const imported = { lastRunAt: noon - hour, totalRunCount: 1, anchor: noon - hour }
    const event = { type: 'TaskCreated', data: { taskId: 'T1', spec: spec(), imported } } as const
    expect(given(event).state).toMatchObject({ anchor: noon - hour, imported })
    expect(given(created({ schedule: everyMinute, startTime: at })).state?.anchor).toBe(at)
  })
})

import { describe, expect, it } from 'vitest'
import { hour, minute, noon, specification } from '../decider.spec-support.js'
import { everyMinute, lookups, nightly } from '../task/task.spec-support.js'
import { decideSchedule, evolveSchedule } from './schedule.js'
import type { ScheduleEvent, ScheduleSpec } from './types.js'

const given = specification({
  stream: 'schedule-S1',
  decide: decideSchedule,
  evolve: evolveSchedule,
  context: { at: noon + hour, lookups: lookups() },
})
const created = (more: Partial<ScheduleSpec> = {}): ScheduleEvent => ({
  type: 'ScheduleCreated',
  data: { scheduleId: 'S1', spec: { name: 'nightly', schedule: nightly, description: '', ...more } },
})
const deleted: ScheduleEvent = { type: 'ScheduleDeleted', data: { cascade: false } }
const create = (input: unknown = { name: 'nightly', schedule: nightly }) =>
  ({ type: 'create', scheduleId: 'S1', input }) as const
const change = (changes: unknown) => ({ type: 'change', changes }) as const

describe('a shared schedule', () => {
  it('is created with a valid value', () => {
    given().when(create()).thenEvents(created())
    given().when(create({})).thenRefused('invalid', 'name required', 'schedule required')
    given()
      .when(create({ name: 'x', schedule: { ref: 'y' }, description: 1 }))
      .thenRefused('invalid', 'schedule.ref unknown_key', 'description not_a_string')
    given()
      .when(create({ name: 'x', schedule: { except: { base: nightly, exclude: [nightly] } } }))
      .thenRefused('invalid', 'schedule never_fires')
    given()
      .when(
        create({ name: 'x', schedule: { except: { base: nightly, exclude: [{ calendar: { ref: 'c' } }] } } }),
      )
      .thenRefused('calendar_unknown', 'schedule.except.exclude[0].calendar.ref unknown_calendar')
  })

  it('is unique by name while it lives, and may come back', () => {
    given(created()).when(create()).thenRefused('already_exists')
    given(created(), deleted).when(create()).thenEvents(created())
    given(created(), deleted)
      .when(create())
      .thenState({ status: 'active', createdAt: noon + 2 * minute, scheduleChangedAt: noon + 2 * minute })
  })

  it('tells changed fields only, and moves its rhythm only with its schedule', () => {
    given(created())
      .when(change({ schedule: nightly, description: '' }))
      .thenNothing()
    given(created())
      .when(change({ description: 'x' }))
      .thenState({ scheduleChangedAt: noon, changedAt: noon + minute })
    given(created())
      .when(change({ schedule: everyMinute }))
      .thenEvents({ type: 'ScheduleChanged', data: { changes: { schedule: everyMinute } } })
    given(created())
      .when(change({ schedule: everyMinute }))
      .thenState({ scheduleChangedAt: noon + minute })
    given(created())
      .when(change({ name: 'other' }))
      .thenRefused('invalid', 'name unknown_key')
  })

  it('is not deleted while used, unless the tasks go with it (case 44)', () => {
    given(created()).when({ type: 'delete', users: 2, cascade: false }).thenRefused('schedule_in_use')
    given(created())
      .when({ type: 'delete', users: 2, cascade: true })
      .thenEvents({ type: 'ScheduleDeleted', data: { cascade: true } })
    given(created()).when({ type: 'delete', users: 0, cascade: false }).thenState({ status: 'deleted' })
  })

  it.each([
    [1, '1 task uses this schedule; cascade deletes it too'],
    [2, '2 tasks use this schedule; cascade deletes them too'],
  ])('tells how many use it: %i', (users, message) => {
    const context = { at: noon + hour, lookups: lookups() }
    const decision = decideSchedule(
      given(created()).state,
      { type: 'delete', users, cascade: false },
      context,
    )
    expect(decision).toMatchObject({ ok: false, error: { message } })
  })

  it('is not found when it is not there', () => {
    for (const history of [[], [created(), deleted]]) {
      given(...history)
        .when(change({}))
        .thenRefused('not_found')
      given(...history)
        .when({ type: 'delete', users: 0, cascade: true })
        .thenRefused('not_found')
    }
    expect(given(deleted).state).toBeUndefined()
  })
})

import { describe, expect, it } from 'vitest'
import { minute, noon, specification } from '../decider.spec-support.js'
import { decideCalendar, evolveCalendar } from './calendar.js'
import type { CalendarEvent } from './types.js'

const given = specification({
  stream: 'calendar-C1',
  decide: (state, command: Parameters<typeof decideCalendar>[1]) => decideCalendar(state, command),
  evolve: evolveCalendar,
  context: {},
})
const days = { dates: ['2026-12-25'] }
const created: CalendarEvent = {
  type: 'CalendarCreated',
  data: { calendarId: 'C1', spec: { name: 'holidays', days, description: '' } },
}
const deleted: CalendarEvent = { type: 'CalendarDeleted', data: {} }
const create = (input: unknown = { name: 'holidays', days }) =>
  ({ type: 'create', calendarId: 'C1', input }) as const

describe('a shared calendar', () => {
  it('is created with valid days', () => {
    given().when(create()).thenEvents(created)
    given().when(create({})).thenRefused('invalid', 'name required', 'days required')
    given()
      .when(create({ name: 'x', days: { dates: ['2026-02-30'] } }))
      .thenRefused('invalid', 'days.dates[0] bad_date')
  })

  it('is unique by name while it lives, and may come back', () => {
    given(created).when(create()).thenRefused('already_exists')
    given(created, deleted)
      .when(create())
      .thenState({ status: 'active', createdAt: noon + 2 * minute })
  })

  it('tells changed fields only', () => {
    given(created).when({ type: 'change', changes: { days } }).thenNothing()
    given(created)
      .when({ type: 'change', changes: { days: { annual: ['12-25'] } } })
      .thenEvents({ type: 'CalendarChanged', data: { changes: { days: { annual: ['12-25'] } } } })
  })

  it('is not deleted while something refers to it', () => {
    given(created).when({ type: 'delete', users: 1 }).thenRefused('calendar_in_use')
    given(created).when({ type: 'delete', users: 0 }).thenEvents(deleted)
    given(created, deleted).when({ type: 'delete', users: 0 }).thenRefused('not_found')
    given().when({ type: 'change', changes: {} }).thenRefused('not_found')
  })

  it.each([
    [1, '1 task or schedule refers to this calendar'],
    [2, '2 tasks and schedules refer to this calendar'],
  ])('tells how many refer to it: %i', (users, message) => {
    const decision = decideCalendar(given(created).state, { type: 'delete', users })
    expect(decision).toMatchObject({ ok: false, error: { message } })
  })
})

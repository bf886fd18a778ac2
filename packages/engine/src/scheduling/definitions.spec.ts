import { blankSpec, type CalendarState, type TaskState } from '@almanac/domain'
import { expect, it } from 'vitest'
import type { ViewStore } from '../ports/view-store.js'
import { Definitions } from './definitions.js'

const at = Date.parse('2026-03-01T00:00:00Z')
const holidays = {
  status: 'active',
  changedAt: at,
  spec: { name: 'holidays', days: { dates: ['2026-03-02'] } },
}
const views = { calendar: () => holidays as unknown as CalendarState } as unknown as ViewStore

const daily = { crontab: { expression: '0 9 * * *' } }
const schedule = { except: { base: daily, exclude: [{ calendar: { ref: 'holidays' } }] } }
const state = {
  taskId: 'A',
  namespace: 'default',
  revision: 0,
  armedAt: at,
  anchor: at,
  runsLeft: null,
  cancelled: [],
  moved: [],
  spec: { ...blankSpec, schedule },
} as unknown as TaskState

const first = (definition: ReturnType<Definitions['of']>) =>
  definition.ok ? new Date(definition.value.recurrence.next(at) ?? 0).toISOString().slice(0, 10) : 'none'

it('what a calendar was does not stand in for what it is, whichever is asked for first', () => {
  const past = { schedule: () => undefined, calendar: () => ({ dates: ['2026-03-01'] }) }
  const older = new Definitions(views)
  expect(first(older.resolve(state, past))).toBe('2026-03-02')
  expect(first(older.of(state))).toBe('2026-03-01')
  const newer = new Definitions(views)
  expect(first(newer.of(state))).toBe('2026-03-01')
  expect(first(newer.resolve(state, past))).toBe('2026-03-02')
})

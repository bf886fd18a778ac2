import { blankSpec } from '@almanac/domain'
import { specJson, type TaskJson } from '@almanac/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sampleTask } from '../../test-support/samples.js'
import { type Present, planOf, type SharedNow } from './plan.js'
import type { SetFile, TaskEntry } from './set-file.js'

const place = { file: 'a.yaml', line: 1 }
const daily = { interval: { every: 1, period: 'days' } }
const hourly = { interval: { every: 1, period: 'hours' } }
const nothing: Present = { tasks: [], schedules: [], calendars: [] }
type Fields = { readonly [field: string]: unknown }

/** An entry of a file, as reading it makes it. */
const entry = (name: string, fields: Fields): TaskEntry => {
  const given: Fields = { task: 'x', schedule: daily, ...fields }
  const labels = Object.keys(Object(given.labels)).map((label) => `labels.${label}`)
  const owned = [...Object.keys(given).filter((field) => field !== 'labels'), ...labels]
  return { name, owned, spec: { ...specJson(blankSpec), ...given, name }, place }
}
const plan = (file: SetFile, present: Present, adopt = false) => planOf(file, present, { adopt })

/** Tasks as a server would have them after the steps. */
const applied = (file: SetFile, present: Present): Present => {
  const { steps } = plan(file, present)
  const left = present.tasks.filter(({ name }) => !steps.some((step) => step.name === name))
  const written = steps
    .filter(({ value }) => value !== null)
    .map(({ id, name, value }): TaskJson => ({ ...sampleTask({ id: id ?? name, name }), ...value, name }))
  return { ...present, tasks: [...left, ...written] }
}

describe('shared schedules', () => {
  const file: SetFile = {
    set: 'ops',
    tasks: [],
    calendars: [],
    schedules: [{ name: 's', value: { schedule: daily }, place }],
  }
  const having = (schedule: unknown, owner: string | null): Present => {
    const now: SharedNow = { id: 's', name: 's', revision: 0, value: { schedule, description: 'why' }, owner }
    return { ...nothing, schedules: [now] }
  }

  it('of another set are never written, those of no set when told so', () => {
    const messages = (owner: string | null, adopt: boolean) =>
      plan(file, having(hourly, owner), adopt).problems.map(({ message }) => message)
    expect(messages('shop', true)).toEqual(['schedule "s" belongs to the set shop'])
    expect(messages(null, false)).toEqual([
      'schedule "s" is there already and of no set: --adopt takes it over',
    ])
    expect(messages(null, true)).toEqual([])
  })

  it('that are as the file has them serve, whoever made them', () => {
    expect(plan(file, having(daily, 'shop'))).toMatchObject({ steps: [], problems: [], unchanged: 1 })
  })

  it('keep a description that the file has not', () => {
    expect(plan(file, having(hourly, 'ops')).steps[0]?.value).toEqual({ schedule: daily })
  })
})

describe('for all files, and whatever others did', () => {
  const fields = fc.record(
    {
      schedule: fc.constantFrom(daily, hourly),
      queue: fc.constantFrom('q', null),
      priority: fc.constantFrom(1, 9, null),
      enabled: fc.boolean(),
      labels: fc.record({ team: fc.constantFrom('a', 'b'), tier: fc.constant('1') }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  )
  const entries = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fields, { maxKeys: 3 })
  const files = entries.map((all): SetFile => {
    const tasks = Object.entries(all).map(([name, value]) => entry(name, value))
    return { set: 'ops', tasks, schedules: [], calendars: [] }
  })
  const changedBy = (present: Present, by: { readonly [name: string]: Fields }): Present => ({
    ...present,
    tasks: present.tasks.map((task) => {
      const { labels, ...rest } = by[task.name] ?? {}
      return { ...task, ...rest, labels: { ...task.labels, ...Object(labels) } }
    }),
  })

  it('what was applied needs nothing more', () => {
    fc.assert(
      fc.property(files, entries, files, (first, others, second) => {
        const present = applied(second, changedBy(applied(first, nothing), others))
        expect(plan(second, present)).toMatchObject({ steps: [], problems: [] })
      }),
    )
  })

  it('a field is the file’s, else what others set, else the default', () => {
    fc.assert(
      fc.property(files, entries, files, (first, others, second) => {
        const before = changedBy(applied(first, nothing), others)
        for (const task of applied(second, before).tasks) {
          const [now, then] = [second, first].map(({ tasks }) => tasks.find(({ name }) => name === task.name))
          const was = before.tasks.find(({ name }) => name === task.name)
          for (const field of ['queue', 'priority', 'enabled'] as const) {
            const left =
              was === undefined || then?.owned.includes(field) ? specJson(blankSpec)[field] : was[field]
            expect(task[field]).toEqual(now?.owned.includes(field) ? now.spec[field] : left)
          }
        }
      }),
    )
  })
})

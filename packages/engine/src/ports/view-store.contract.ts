import { partitionOf, type TaskState } from '@almanac/domain'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { viewListsContract } from './view-lists.contract.js'
import { sampleBatch, sampleCalendar, sampleSchedule, sampleTask } from './view-samples.contract.js'
import type { SlotFilter, ViewStore } from './view-store.js'

export interface ViewStoreFixture {
  readonly views: ViewStore
  close(): Promise<void>
}

/** What a view store keeps: current states, past states, lists, all of one position. */
export const viewStoreContract = (name: string, factory: () => Promise<ViewStoreFixture>): void => {
  describe(`view store: ${name}`, () => {
    let fixture: ViewStoreFixture
    beforeEach(async () => {
      fixture = await factory()
    })
    afterEach(() => fixture.close())
    const views = () => fixture.views
    describe('apply', () => applying(views))
    describe('as of', () => lookingBack(views))
    describe('planning', () => planning(views))
    describe('time', () => timing(views))
    describe('schedules and calendars', () => sharing(views))
    describe('lists', () => viewListsContract(views))
  })
}

const applying = (views: () => ViewStore) => {
  it('is empty at position 0', () => {
    expect(views().position()).toBe(0)
    expect(views().task('a')).toBeUndefined()
    expect(views().tasks(['a']).size).toBe(0)
    expect(views().counts()).toEqual({ tasks: 0, enabled: 0, quarantined: 0 })
    expect(views().marker('default')).toBeUndefined()
  })

  it('gives back a state as it was stored', () => {
    const state = sampleTask(
      'a',
      {
        name: 'Ünïcödé \u2028 𝄞 "quoted"',
        args: [1.5, null, ['x'], { deep: { deeper: [true] } }],
        labels: { team: 'a=b', empty: '' },
        schedule: { crontab: { expression: '0 2 * * *', timezone: 'Europe/Berlin' } },
      },
      {
        quarantine: { code: 'bad', message: 'm' },
        imported: { lastRunAt: null, totalRunCount: 3, anchor: 5 },
      },
    )
    views().apply(sampleBatch(4, { tasks: [state] }))
    expect(views().task('a')).toEqual(state)
    expect(views().position()).toBe(4)
    expect(views().tasks(['x', 'a'])).toEqual(new Map([['a', state]]))
  })

  it('keeps the last of several states of one task in a batch', () => {
    const versions = [0, 1, 2].map((revision) => sampleTask('a', { name: `v${revision}` }, { revision }))
    views().apply({
      ...sampleBatch(30),
      tasks: versions.map((state, n) => ({ state, position: 10 * (n + 1), at: n })),
    })
    expect(views().task('a')).toEqual(versions[2])
    expect(views().taskAsOf('a', 20)).toEqual(versions[1])
    expect(views().taskAsOf('a', 19)).toEqual(versions[0])
  })

  it('changes nothing when a batch comes again', () => {
    views().apply(sampleBatch(1, { tasks: [sampleTask('a', { description: 'one' })] }))
    views().apply(sampleBatch(2, { tasks: [sampleTask('a', { description: 'two' })] }))
    views().apply(sampleBatch(1, { tasks: [sampleTask('a', { description: 'one' })] }))
    expect(views().position()).toBe(2)
    views().apply(sampleBatch(2, { tasks: [sampleTask('a', { description: 'two' })] }))
    expect(views().position()).toBe(2)
    expect(views().positionAt(10)).toBe(1)
    expect(views().task('a')?.spec.description).toBe('two')
    expect(views().taskAsOf('a', 1)?.spec.description).toBe('one')
  })

  it('takes only what is new of a batch that overlaps with an earlier one', () => {
    const versions = [1, 2, 3].map((position) => ({
      state: sampleTask('a', { description: `at ${position}` }),
      position,
      at: position * 10,
    }))
    views().apply({ ...sampleBatch(2), tasks: versions.slice(0, 2) })
    views().apply({ ...sampleBatch(3), tasks: versions })
    expect([1, 2, 3].map((position) => views().taskAsOf('a', position)?.spec.description)).toEqual([
      'at 1',
      'at 2',
      'at 3',
    ])
    expect([10, 20, 30].map((at) => views().positionAt(at))).toEqual([1, 2, 3])
    expect(views().counts().tasks).toBe(1)
  })

  it('moves on with a batch that has no state', () => {
    views().apply(sampleBatch(1, { tasks: [sampleTask('a')] }))
    views().apply(sampleBatch(9))
    expect(views().position()).toBe(9)
    expect(views().task('a')).toBeDefined()
  })

  it('keeps a marker for each namespace', () => {
    views().apply(
      sampleBatch(5, {
        markers: new Map([
          ['a', { position: 4, at: 40 }],
          ['b', { position: 5, at: 50 }],
        ]),
      }),
    )
    views().apply(sampleBatch(6, { markers: new Map([['b', { position: 6, at: 55 }]]) }))
    expect(views().marker('a')).toEqual({ position: 4, at: 40 })
    expect(views().marker('b')).toEqual({ position: 6, at: 55 })
    expect(views().marker('c')).toBeUndefined()
  })

  it('keeps a deleted task readable by id, and frees its name', () => {
    views().apply(sampleBatch(1, { tasks: [sampleTask('a', { name: 'n' }), sampleTask('b', { name: 'm' })] }))
    views().apply(sampleBatch(2, { tasks: [sampleTask('a', { name: 'n' }, { status: 'deleted' })] }))
    expect(views().task('a')?.status).toBe('deleted')
    expect(views().taskIdByName('default', 'n')).toBeUndefined()
    views().apply(sampleBatch(3, { tasks: [sampleTask('c', { name: 'n' })] }))
    expect(views().taskIdByName('default', 'n')).toBe('c')
  })

  it('finds a task by its exact name in its namespace, through renames that swap names', () => {
    views().apply(
      sampleBatch(1, {
        tasks: [
          sampleTask('a', { name: 'x' }),
          sampleTask('b', { name: 'y' }),
          sampleTask('c', { name: 'X' }),
        ],
      }),
    )
    views().apply(sampleBatch(2, { tasks: [sampleTask('a', { name: 'y' }), sampleTask('b', { name: 'x' })] }))
    expect(views().taskIdByName('default', 'x')).toBe('b')
    expect(views().taskIdByName('default', 'y')).toBe('a')
    expect(views().taskIdByName('default', 'X')).toBe('c')
    expect(views().taskIdByName('other', 'x')).toBeUndefined()
  })

  it('applies a batch of ten thousand states', () => {
    const tasks = Array.from({ length: 10_000 }, (_, n) => ({
      state: sampleTask(`t-${n % 5000}`, {}, { revision: Math.floor(n / 5000) }),
      position: n + 1,
      at: n,
    }))
    views().apply({ ...sampleBatch(10_000), tasks })
    expect(views().counts().tasks).toBe(5000)
    expect(views().task('t-4999')?.revision).toBe(1)
    expect(views().taskAsOf('t-4999', 5000)?.revision).toBe(0)
  })
}

const lookingBack = (views: () => ViewStore) => {
  it('shows a task as it was between two changes', () => {
    views().apply(sampleBatch(10, { tasks: [sampleTask('a', { description: 'one' })] }))
    views().apply(sampleBatch(20, { tasks: [sampleTask('a', { description: 'two' })] }))
    views().apply(
      sampleBatch(30, { tasks: [sampleTask('a', { description: 'two' }, { status: 'deleted' })] }),
    )
    views().apply(sampleBatch(40))
    const at = (position: number) => views().taskAsOf('a', position)
    expect(at(0)).toBeUndefined()
    expect(at(9)).toBeUndefined()
    expect(at(10)?.spec.description).toBe('one')
    expect(at(19)?.spec.description).toBe('one')
    expect(at(20)?.spec.description).toBe('two')
    expect(at(29)?.status).toBe('active')
    expect(at(30)?.status).toBe('deleted')
    expect(at(1000)?.status).toBe('deleted')
    expect(views().taskAsOf('nobody', 1000)).toBeUndefined()
  })
}

const plannableOf = (views: ViewStore, max: number, only: SlotFilter | undefined) => {
  const found: string[] = []
  for (;;) {
    const some = views.plannable(found.at(-1) ?? '', max, only)
    expect(some.length).toBeLessThanOrEqual(max)
    if (some.length === 0) return found
    found.push(...some.map(({ taskId }) => taskId))
  }
}

const planning = (views: () => ViewStore) => {
  it('streams every task that can be planned, once, by id', () => {
    const ids = Array.from({ length: 25 }, (_, n) => `t-${String(n).padStart(2, '0')}`)
    views().apply(
      sampleBatch(1, {
        tasks: [
          ...[...ids].reverse().map((id) => sampleTask(id)),
          sampleTask('t-03-off', { enabled: false }),
          sampleTask('t-04-deleted', {}, { status: 'deleted' }),
          sampleTask('t-05-abandoned', {}, { status: 'abandoned' }),
          sampleTask('t-06-bad', {}, { quarantine: { code: 'c', message: 'm' } }),
          sampleTask('t-07-elsewhere', {}, { namespace: 'ns' }),
        ],
      }),
    )
    const expected = [...ids, 't-07-elsewhere'].sort()
    for (const max of [1, 4, 26, 1000]) {
      const found: TaskState[] = []
      for (;;) {
        const some = views().plannable(found.at(-1)?.taskId ?? '', max)
        expect(some.length).toBeLessThanOrEqual(max)
        if (some.length === 0) break
        found.push(...some)
      }
      expect(found.map(({ taskId }) => taskId)).toEqual(expected)
      expect(found[0]).toEqual(sampleTask('t-00'))
    }
  })

  it('streams the tasks of one partition only, of all partitions each once', () => {
    const ids = Array.from({ length: 300 }, (_, n) => `t-${String(n).padStart(3, '0')}`)
    const tasks = [...ids.map((id) => sampleTask(id)), sampleTask('t-off', { enabled: false })]
    views().apply(sampleBatch(1, { tasks: tasks.reverse() }))
    for (const partitions of [1, 3, 16]) {
      for (let partition = 0; partition < partitions; partition++) {
        const expected = ids.filter((id) => partitionOf(id, partitions) === partition)
        expect(plannableOf(views(), 4, { partition, partitions }).sort()).toEqual(expected)
      }
    }
    expect(plannableOf(views(), 7, undefined)).toEqual(ids)
  })

  it('follows changes of what can be planned in a partition', () => {
    const only = { partition: partitionOf('a', 256), partitions: 256 }
    views().apply(sampleBatch(1, { tasks: [sampleTask('a')] }))
    expect(plannableOf(views(), 4, only)).toEqual(['a'])
    views().apply(sampleBatch(2, { tasks: [sampleTask('a', { enabled: false })] }))
    expect(plannableOf(views(), 4, only)).toEqual([])
    views().apply(sampleBatch(3, { tasks: [sampleTask('a')] }))
    expect(plannableOf(views(), 4, only)).toEqual(['a'])
    expect(plannableOf(views(), 4, { ...only, partition: (only.partition + 1) % 256 })).toEqual([])
  })

  it('follows changes of what can be planned', () => {
    const plannable = () =>
      views()
        .plannable('', 10)
        .map(({ taskId }) => taskId)
    views().apply(sampleBatch(1, { tasks: [sampleTask('a'), sampleTask('b', { enabled: false })] }))
    expect(plannable()).toEqual(['a'])
    views().apply(sampleBatch(2, { tasks: [sampleTask('b'), sampleTask('a', { enabled: false })] }))
    expect(plannable()).toEqual(['b'])
  })

  it('counts active, enabled and quarantined tasks', () => {
    views().apply(
      sampleBatch(1, {
        tasks: [
          sampleTask('a'),
          sampleTask('b', { enabled: false }),
          sampleTask('c', {}, { quarantine: { code: 'c', message: 'm' } }),
          sampleTask('d', {}, { status: 'deleted' }),
        ],
      }),
    )
    expect(views().counts()).toEqual({ tasks: 3, enabled: 2, quarantined: 1 })
    views().apply(sampleBatch(2, { tasks: [sampleTask('a', {}, { status: 'deleted' }), sampleTask('b')] }))
    expect(views().counts()).toEqual({ tasks: 2, enabled: 2, quarantined: 1 })
  })

  it('names the active tasks that use a shared schedule', () => {
    const nightly = { schedule: { ref: 'nightly' } }
    views().apply(
      sampleBatch(1, {
        tasks: [
          sampleTask('b', nightly),
          sampleTask('a', { ...nightly, enabled: false }),
          sampleTask('c', nightly, { status: 'deleted' }),
          sampleTask('d', nightly, { namespace: 'ns' }),
          sampleTask('e', { schedule: { ref: 'hourly' } }),
          sampleTask('f'),
        ],
      }),
    )
    expect([...views().tasksUsing('default', 'nightly')].sort()).toEqual(['a', 'b'])
    expect(views().tasksUsing('default', 'unknown')).toEqual([])
  })
}

const timing = (views: () => ViewStore) => {
  it('knows the last position at or before an instant', () => {
    views().apply({
      ...sampleBatch(30, { at: 300 }),
      tasks: [10, 20, 30].map((position) => ({
        state: sampleTask(`t-${position}`),
        position,
        at: position * 10,
      })),
    })
    const at = (instant: number) => views().positionAt(instant)
    expect([at(99), at(100), at(199), at(200), at(300), at(1e15)]).toEqual([0, 10, 10, 20, 30, 30])
  })

  it('counts events at the same instant together', () => {
    views().apply(sampleBatch(1, { at: 500, tasks: [sampleTask('a')] }))
    views().apply(sampleBatch(2, { at: 500, tasks: [sampleTask('b')] }))
    expect(views().positionAt(500)).toBe(2)
    expect(views().positionAt(499)).toBe(0)
  })

  it('takes the later position when a clock stepped back', () => {
    views().apply(sampleBatch(1, { at: 100, tasks: [sampleTask('a')] }))
    views().apply(sampleBatch(2, { at: 300, tasks: [sampleTask('b')] }))
    views().apply(sampleBatch(3, { at: 200, tasks: [sampleTask('c')] }))
    views().apply(sampleBatch(4, { at: 400, tasks: [sampleTask('d')] }))
    expect([100, 199, 200, 300, 399, 400].map((instant) => views().positionAt(instant))).toEqual([
      1, 1, 3, 3, 3, 4,
    ])
  })
}

const sharing = (views: () => ViewStore) => {
  it('keeps schedules with their past', () => {
    const first = sampleSchedule('s')
    const second = sampleSchedule('s', { revision: 1, status: 'deleted' })
    views().apply(sampleBatch(1, { schedules: [first, sampleSchedule('r')] }))
    views().apply(sampleBatch(2, { schedules: [second] }))
    expect(views().schedule('s')).toEqual(second)
    expect(views().schedule('x')).toBeUndefined()
    expect(views().listSchedules('default', { limit: 10 })).toEqual({
      items: [sampleSchedule('r')],
      nextCursor: null,
      total: 1,
    })
    expect(views().listSchedules('default', { limit: 10 }, 1)).toMatchObject({
      items: [{ scheduleId: 'r' }, { scheduleId: 's', revision: 0 }],
      total: 2,
    })
    expect(views().listSchedules('ns', { limit: 10 }).items).toEqual([])
  })

  it('keeps calendars with their past', () => {
    const first = sampleCalendar('c')
    const second = sampleCalendar('c', { revision: 1 })
    views().apply(sampleBatch(1, { calendars: [first] }))
    views().apply(sampleBatch(2, { calendars: [second] }))
    expect(views().calendar('c')).toEqual(second)
    expect(views().calendar('x')).toBeUndefined()
    expect(views().listCalendars('default', { limit: 10 }).items).toEqual([second])
    expect(views().listCalendars('default', { limit: 10 }, 1).items).toEqual([first])
    expect(views().listCalendars('default', { limit: 10 }, 0)).toEqual({
      items: [],
      nextCursor: null,
      total: 0,
    })
  })

  it('keeps tasks, schedules and calendars of one id apart', () => {
    views().apply(
      sampleBatch(1, {
        tasks: [sampleTask('x')],
        schedules: [sampleSchedule('x')],
        calendars: [sampleCalendar('x')],
      }),
    )
    expect(views().task('x')?.taskId).toBe('x')
    expect(views().schedule('x')?.scheduleId).toBe('x')
    expect(views().calendar('x')?.calendarId).toBe('x')
  })
}

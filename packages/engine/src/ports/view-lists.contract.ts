import type { TaskState } from '@almanac/domain'
import { expect, it } from 'vitest'
import { sampleBatch, sampleSchedule, sampleTask } from './view-samples.contract.js'
import { InvalidCursor, type TaskFilter, type ViewStore } from './view-store.js'

export const viewListsContract = (views: () => ViewStore): void => {
  paging(views)
  filtering(views)
  searching(views)
  lookingBack(views)
}

/** Names on all pages of a list, checked on the way. */
const names = (
  views: ViewStore,
  filter: TaskFilter = {},
  limit = 100,
  asOf?: number,
  namespace = 'default',
) => {
  const found: TaskState[] = []
  let cursor: string | undefined
  for (;;) {
    const page = views.listTasks(
      namespace,
      filter,
      cursor === undefined ? { limit } : { limit, cursor },
      asOf,
    )
    expect(page.items.length).toBeLessThanOrEqual(limit)
    found.push(...page.items)
    if (page.nextCursor === null) {
      expect(page.total).toBe(found.length)
      return found.map(({ spec }) => spec.name)
    }
    expect(page.items).toHaveLength(limit)
    cursor = page.nextCursor
  }
}

const paging = (views: () => ViewStore) => {
  it('lists active tasks of the namespace by name in code point order, whatever the page size', () => {
    const ordered = ['A', 'B', 'Z', 'a', 'aa', 'ab', 'z', 'Ä', 'ä', '☃', '\ufb01', '𝄞']
    const tasks = ordered.map((name, n) => sampleTask(`id-${(n * 7) % 12}-${n}`, { name }))
    views().apply(
      sampleBatch(1, {
        tasks: [
          ...tasks.reverse(),
          sampleTask('deleted', { name: 'aaa' }, { status: 'deleted' }),
          sampleTask('foreign', { name: 'aaa' }, { namespace: 'ns' }),
        ],
      }),
    )
    for (const limit of [1, 2, 5, 12, 13]) expect(names(views(), {}, limit)).toEqual(ordered)
    expect(names(views(), {}, 10, undefined, 'ns')).toEqual(['aaa'])
    expect(views().listTasks('nobody', {}, { limit: 5 })).toEqual({ items: [], nextCursor: null, total: 0 })
  })

  it.each([
    ['name', false, ['a', 'b', 'c', 'd']],
    ['name', true, ['d', 'c', 'b', 'a']],
    ['createdAt', false, ['d', 'a', 'b', 'c']],
    ['createdAt', true, ['c', 'b', 'a', 'd']],
    ['changedAt', false, ['c', 'b', 'd', 'a']],
    ['changedAt', true, ['a', 'd', 'b', 'c']],
  ] as const)('lists by %s, turned round: %s, whatever the page size', (by, isDescending, ordered) => {
    views().apply(
      sampleBatch(1, {
        tasks: [
          sampleTask('1', { name: 'a' }, { createdAt: 5, changedAt: 90 }),
          sampleTask('2', { name: 'b' }, { createdAt: 5, changedAt: 20 }),
          sampleTask('3', { name: 'c' }, { createdAt: 9, changedAt: 10 }),
          sampleTask('4', { name: 'd' }, { createdAt: 1, changedAt: 30 }),
        ],
      }),
    )
    for (const limit of [1, 2, 3, 9]) {
      const found: string[] = []
      let cursor: string | undefined
      do {
        const page = { limit, order: { by, isDescending }, ...(cursor === undefined ? {} : { cursor }) }
        const { items, nextCursor } = views().listTasks('default', {}, page)
        found.push(...items.map(({ spec }) => spec.name))
        cursor = nextCursor ?? undefined
      } while (cursor !== undefined)
      expect(found).toEqual(ordered)
    }
  })

  it('goes on behind the last row although rows come and go before it', () => {
    views().apply(
      sampleBatch(1, { tasks: ['b', 'c', 'd', 'e'].map((name) => sampleTask(`id-${name}`, { name })) }),
    )
    const first = views().listTasks('default', {}, { limit: 2 })
    views().apply(
      sampleBatch(2, {
        tasks: [sampleTask('id-a', { name: 'a' }), sampleTask('id-c', { name: 'c' }, { status: 'deleted' })],
      }),
    )
    const second = views().listTasks('default', {}, { limit: 2, cursor: first.nextCursor ?? '' })
    expect(second.items.map(({ spec }) => spec.name)).toEqual(['d', 'e'])
    expect(second.total).toBe(4)
  })

  it('refuses a cursor that it has not given out', () => {
    views().apply(sampleBatch(1, { tasks: [sampleTask('a'), sampleTask('b')] }))
    const good = views().listTasks('default', {}, { limit: 1 }).nextCursor ?? ''
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const forged = [
      '',
      'x',
      '!!!',
      `${good}x`,
      `${good}=`,
      good.slice(1),
      encode(null),
      encode(['a']),
      encode([1, 'a']),
    ]
    for (const cursor of forged) {
      expect(() => views().listTasks('default', {}, { limit: 1, cursor })).toThrow(InvalidCursor)
      expect(() => views().listSchedules('default', { limit: 1, cursor })).toThrow(InvalidCursor)
      expect(() => views().listCalendars('default', { limit: 1, cursor })).toThrow(InvalidCursor)
    }
  })
}

const filtering = (views: () => ViewStore) => {
  it('holds every filter, alone and together', () => {
    views().apply(
      sampleBatch(1, {
        tasks: [
          sampleTask('1', { name: 'a', task: 'x.y', queue: 'q', labels: { team: 'blue', 'k=k': 'v=v' } }),
          sampleTask('2', {
            name: 'b',
            enabled: false,
            schedule: { ref: 'nightly' },
            labels: { team: 'red' },
          }),
          sampleTask('3', {
            name: 'c',
            schedule: { crontab: {} },
            exchange: 'ex',
            labels: { teams: 'blue' },
          }),
          sampleTask('4', { name: 'd', task: 'x.y' }, { quarantine: { code: 'c', message: 'm' } }),
        ],
        schedules: [
          sampleSchedule('s', { spec: { name: 'nightly', schedule: { crontab: {} }, description: '' } }),
        ],
      }),
    )
    const list = (filter: TaskFilter) => {
      expect(names(views(), filter, 1)).toEqual(names(views(), filter))
      return names(views(), filter).join('')
    }
    expect(list({})).toBe('abcd')
    expect(list({ enabled: true })).toBe('acd')
    expect(list({ enabled: false })).toBe('b')
    expect(list({ name: 'b' })).toBe('b')
    expect(list({ name: 'B' })).toBe('')
    expect(list({ task: 'x.y' })).toBe('ad')
    expect(list({ queue: 'q' })).toBe('a')
    expect(list({ queue: 'default' })).toBe('bd')
    expect(list({ queue: 'exchange:ex' })).toBe('c')
    expect(list({ quarantined: true })).toBe('d')
    expect(list({ quarantined: false })).toBe('abc')
    expect(list({ scheduleRef: 'nightly' })).toBe('b')
    expect(list({ scheduleKind: 'interval' })).toBe('ad')
    expect(list({ scheduleKind: 'crontab' })).toBe('bc')
    expect(list({ labels: ['team=blue'] })).toBe('a')
    expect(list({ labels: ['team'] })).toBe('ab')
    expect(list({ labels: ['team=blu'] })).toBe('')
    expect(list({ labels: ['tea'] })).toBe('')
    expect(list({ labels: ['team=blue', 'teams'] })).toBe('')
    expect(list({ enabled: true, task: 'x.y', quarantined: false, labels: ['team'], q: 'X.Y' })).toBe('a')
  })
}

const searching = (views: () => ViewStore) => {
  it('finds a text anywhere in name, task or description, letter case aside', () => {
    views().apply(
      sampleBatch(1, {
        tasks: [
          sampleTask('1', { name: 'Ärger am Morgen', task: 'jobs.a', description: 'Straße 100%' }),
          sampleTask('2', { name: 'b', task: 'jobs.ΣΊΣΥΦΟΣ', description: '' }),
          sampleTask('3', { name: 'c_d', task: 'jobs.c', description: 'cafe\u0301' }),
        ],
      }),
    )
    const search = (q: string) => names(views(), { q })
    expect(search('ärger')).toEqual(['Ärger am Morgen'])
    expect(search('MORGEN')).toEqual(['Ärger am Morgen'])
    expect(search('straße')).toEqual(['Ärger am Morgen'])
    expect(search('100%')).toEqual(['Ärger am Morgen'])
    expect(search('σίσυφος')).toEqual(['b'])
    expect(search('CAFÉ')).toEqual(['c_d'])
    expect(search('_')).toEqual(['c_d'])
    expect(search('%')).toEqual(['Ärger am Morgen'])
    expect(search('jobs.')).toHaveLength(3)
    expect(search('morgen jobs')).toEqual([])
    expect(search('')).toHaveLength(3)
  })
}

const lookingBack = (views: () => ViewStore) => {
  it('lists what was active at a position, under the names and filters of then', () => {
    views().apply(
      sampleBatch(10, { tasks: [sampleTask('1', { name: 'a' }), sampleTask('2', { name: 'b' })] }),
    )
    views().apply(sampleBatch(20, { tasks: [sampleTask('1', { name: 'z', enabled: false })] }))
    views().apply(sampleBatch(30, { tasks: [sampleTask('2', { name: 'b' }, { status: 'deleted' })] }))
    views().apply(sampleBatch(40, { tasks: [sampleTask('3', { name: 'c' })] }))
    const at = (asOf: number, filter: TaskFilter = {}) => {
      expect(names(views(), filter, 1, asOf)).toEqual(names(views(), filter, 100, asOf))
      return names(views(), filter, 100, asOf).join('')
    }
    expect([0, 9, 10, 19, 20, 29, 30, 39, 40, 99].map((position) => at(position))).toEqual([
      '',
      '',
      'ab',
      'ab',
      'bz',
      'bz',
      'z',
      'z',
      'cz',
      'cz',
    ])
    expect(at(10, { enabled: false })).toBe('')
    expect(at(20, { enabled: false })).toBe('z')
    expect(at(10, { name: 'a' })).toBe('a')
    expect(at(20, { name: 'a' })).toBe('')
  })

  it('judges the kind of a shared schedule as of then too', () => {
    const kind = (schedule: object) =>
      sampleSchedule('s', { spec: { name: 'shared', schedule: schedule as never, description: '' } })
    views().apply(
      sampleBatch(1, {
        tasks: [sampleTask('1', { name: 'a', schedule: { ref: 'shared' } })],
        schedules: [kind({ crontab: {} })],
      }),
    )
    views().apply(sampleBatch(2, { schedules: [kind({ interval: { every: 1, period: 'days' } })] }))
    expect(names(views(), { scheduleKind: 'crontab' }, 10, 1)).toEqual(['a'])
    expect(names(views(), { scheduleKind: 'interval' }, 10, 1)).toEqual([])
    expect(names(views(), { scheduleKind: 'interval' })).toEqual(['a'])
    expect(names(views(), { scheduleKind: 'crontab' })).toEqual([])
  })
}

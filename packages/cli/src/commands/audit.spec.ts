import { describe, expect, it } from 'vitest'
import { almanac, list, onTasks } from '../../test-support/almanac.js'
import { sampleTask } from '../../test-support/samples.js'

const task = sampleTask()
const change = {
  position: 9,
  stream: 'task-00-x',
  revision: 4,
  id: 'e',
  type: 'TaskChanged',
  version: 1,
  subject: { kind: 'task', id: task.id, name: task.name },
  at: '2026-11-24T11:58:00.000Z',
  namespace: 'default',
  actor: 'ann',
  reason: null,
  correlationId: 'c-1',
  causationId: null,
  text: 'ann changed queue from none to "fast"',
  changes: [],
  data: {},
}

describe('history list', () => {
  it('asks for the last day, reads on over an empty page, and shows sentences', async () => {
    const { out, err, asked } = await almanac(
      ['history', 'list', '--actor', 'ann', '--kind', 'task'],
      ({ query }) => {
        const isFirst = query.get('cursor') === null
        return { body: { items: isFirst ? [] : [change], nextCursor: isFirst ? 'on' : null, position: 9 } }
      },
    )
    expect(Object.fromEntries(asked[0]?.query ?? [])).toMatchObject({
      actor: 'ann',
      kind: 'task',
      from: '2026-11-23T12:00:00.000Z',
    })
    expect(asked).toHaveLength(2)
    expect(out).toContain('ann changed queue from none to "fast"')
    expect(err).toContain('1 change')
  })
})

describe('tasks undo', () => {
  const preview = {
    undoes: change,
    changes: [{ path: 'queue', before: 'fast', after: null }],
    conflicts: [{ path: 'priority', set: 3, now: 4, revision: 5 }],
  }

  it('shows with --dry-run what it would set and what stands in its way', async () => {
    const { code, out, asked } = await almanac(['tasks', 'undo', task.name, '4', '--dry-run'], (question) =>
      question.path.endsWith('/undo') ? { body: preview } : onTasks(task)(question),
    )
    expect(code).toBe(0)
    expect(asked.at(-1)).toMatchObject({ method: 'GET' })
    expect(out).toContain('queue  fast → none')
    expect(out).toContain('priority was changed again by revision 5, to 4: needs --force')
  })

  it('sends reason and force, and says what it did', async () => {
    const { out, asked } = await almanac(
      ['tasks', 'undo', task.name, '4', '--force', '-r', 'ticket 7'],
      (question) =>
        question.path.endsWith('/undo')
          ? { body: { event: { ...change, text: 'ann undid revision 4: changed queue' } } }
          : onTasks(task)(question),
    )
    expect(asked.at(-1)).toMatchObject({ method: 'POST', body: { force: true, reason: 'ticket 7' } })
    expect(asked.at(-1)?.path).toContain(`/tasks/${task.id}/history/4/undo`)
    expect(out).toBe('ann undid revision 4: changed queue\n')
  })

  it('refuses what is no revision before it asks', async () => {
    const { code, err, asked } = await almanac(['tasks', 'undo', task.name, 'last'], () => list([]))
    expect([code, asked]).toEqual([2, []])
    expect(err).toContain('"last" is not a revision')
  })
})

describe('history undo', () => {
  it('tells what was refused, and how to take the undo back', async () => {
    const problem = { kind: 'task', id: 'x', revision: 4, type: 'TaskChanged', code: 'undo_conflict' }
    const { out, err } = await almanac(['history', 'undo', 'c-1'], () => ({
      body: {
        correlationId: 'c-2',
        total: 3,
        undone: 1,
        unchanged: 1,
        refused: 1,
        problems: [{ ...problem, detail: 'changed again since: queue' }],
      },
    }))
    expect(out).toBe(
      'refused: TaskChanged of task x, revision 4: undo_conflict, changed again since: queue\n',
    )
    expect(err).toContain('1 taken back, 1 were back already, 1 refused')
    expect(err).toContain('almanac history undo c-2')
  })
})

describe('tasks cancel', () => {
  it('names the occurrence, and tells the next run; a cancelled one is told among the coming ones', async () => {
    const { out, asked } = await almanac(
      ['tasks', 'cancel', task.name, '2026-11-25T02:00:00Z', '-r', 'a holiday'],
      (question) =>
        question.path.endsWith('/cancel')
          ? { body: { ...task, nextRunAt: '2026-11-26T02:00:00.000Z' } }
          : onTasks(task)(question),
    )
    expect(asked.at(-1)).toMatchObject({ method: 'POST', body: { reason: 'a holiday' } })
    expect(asked.at(-1)?.path).toContain(`/tasks/${task.id}/occurrences/2026-11-25T02:00:00.000Z/cancel`)
    expect(out).toContain('2026-11-25 02:00:00Z is cancelled; next run 2026-11-26 02:00:00Z')
    const base = {
      reason: null,
      runId: null,
      status: null,
      count: 1,
      revision: 3,
      local: '2026-11-25 02:00:00',
    }
    const items = [
      { ...base, at: '2026-11-25T02:00:00.000Z', outcome: 'skipped', reason: 'cancelled' },
      { ...base, at: '2026-11-26T02:00:00.000Z', outcome: 'due' },
    ]
    const next = await almanac(['tasks', 'next', task.name], (question) =>
      question.path.endsWith('/occurrences')
        ? { body: { items, total: 2, nextCursor: null, timezone: 'UTC', scheduleText: 'daily', notes: [] } }
        : onTasks(task)(question),
    )
    expect(next.out).toMatch(/cancelled\n.*in 38 h/)
  })
})

it('tasks move names both times, and tells the next run', async () => {
  const args = [
    'tasks',
    'move',
    task.name,
    '2026-11-25T02:00:00Z',
    '--to',
    '2026-11-25T04:00:00Z',
    '-r',
    'why',
  ]
  const { out, asked } = await almanac(args, (question) =>
    question.path.endsWith('/move')
      ? { body: { ...task, nextRunAt: '2026-11-25T04:00:00.000Z' } }
      : onTasks(task)(question),
  )
  const body = { to: '2026-11-25T04:00:00.000Z', reason: 'why' }
  expect(asked.at(-1)).toMatchObject({ method: 'POST', body })
  expect(asked.at(-1)?.path).toContain(`/tasks/${task.id}/occurrences/2026-11-25T02:00:00.000Z/move`)
  expect(out).toContain(
    '2026-11-25 02:00:00Z is at 2026-11-25 04:00:00Z instead; next run 2026-11-25 04:00:00Z',
  )
})

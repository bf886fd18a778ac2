import {
  blankSpec,
  evolveTask,
  type Lookups,
  type RecordedEvent,
  type TaskSpec,
  type TaskState,
} from '@almanac/domain'
import { beforeEach, describe, expect, it } from 'vitest'
import { memoryViewStore } from '../memory/view-store.js'
import type { Change } from '../projection/projector.js'
import { Definitions } from './definitions.js'
import { Undecided } from './undecided.js'

const noon = Date.parse('2026-03-01T12:00:00Z')
const minute = 60_000
const minutely = { interval: { every: 1, period: 'minutes' } } as const

/** The events of one task, at position 1, 2, ..., each a minute after the other unless it says when. */
class History {
  private state: TaskState | undefined
  private position = 0
  readonly undecided: Undecided

  constructor(undecided: Undecided) {
    this.undecided = undecided
  }

  get current(): TaskState {
    if (this.state === undefined) throw new Error('no task')
    return this.state
  }

  /** Applies it; the undecided hear of it only when `isHeard`: else a tick has taken it in before. */
  event(type: string, data: unknown, { isHeard = true, at = noon + this.position * minute } = {}): void {
    const { position } = this
    const event: RecordedEvent = {
      id: `event ${position}`,
      type,
      version: 1,
      data,
      metadata: { namespace: 'default', actor: 'test', at, correlationId: 'test', previousHash: '' },
      stream: 'task-00-A',
      revision: position,
      position: position + 1,
      hash: '',
    }
    const before = this.state
    const after = evolveTask(before, event)
    if (after === undefined) throw new Error('no task')
    this.state = after
    this.position += 1
    const change: Change = { kind: 'task', event, before, after }
    if (isHeard) this.undecided.add(change)
  }

  created(spec: Partial<TaskSpec> = {}, isHeard = true): void {
    const all = { ...blankSpec, name: 'task', task: 'app.task', schedule: minutely, ...spec }
    this.event('TaskCreated', { taskId: 'A', spec: all }, { isHeard })
  }

  jitter(jitterSeconds: number): void {
    this.event('TaskChanged', { changes: { jitterSeconds }, rearmed: true, runsLeft: null })
  }
}

let undecided: Undecided
let definitions: Definitions
let history: History
beforeEach(() => {
  definitions = new Definitions(memoryViewStore())
  undecided = new Undecided(definitions)
  history = new History(undecided)
})

/** Revision, end, reason and whether no tick has seen it, of each definition that ended. */
const retired = (position: number) =>
  undecided
    .upTo(position)
    .retired.map(({ definition, until, reason, isUnseen }) => [
      definition.revision,
      (until - noon) / minute,
      reason,
      isUnseen === true,
    ])

describe('a task that no tick has planned', () => {
  it('created and reset: what it had until then is unseen, and the reset is armed', () => {
    history.created()
    undecided.arm('A', 1)
    history.event('TaskHistoryReset', {})
    undecided.arm('A', 2)
    expect(retired(2)).toEqual([[0, 1, 'superseded', true]])
    expect(undecided.upTo(2)).toMatchObject({ armed: ['A'], resets: ['A'] })
  })

  it('each of its definitions is unseen, in the order of their events', () => {
    history.created()
    history.jitter(0)
    history.event('TaskDisabled', { cause: 'requested' })
    history.event('TaskEnabled', { runsLeft: null })
    history.event('TaskDeleted', { cause: 'requested' })
    expect(retired(5)).toEqual([
      [0, 1, 'superseded', true],
      [1, 2, 'disabled', true],
      [3, 4, 'deleted', true],
    ])
  })

  it('is told of as far as the tick has read, and then not again', () => {
    history.created()
    undecided.arm('A', 1)
    history.event('TaskHistoryReset', {})
    undecided.arm('A', 2)
    expect(retired(1)).toEqual([])
    expect(undecided.upTo(1).armed).toEqual(['A'])
    expect(undecided.isUnseen('A')).toBe(true)
    undecided.settled(1)
    // The tick at 1 has planned it: the reset ends what it had, from the cursor on.
    expect(retired(2)).toEqual([[0, 1, 'superseded', false]])
    expect(undecided.upTo(2).armed).toEqual([])
    expect(undecided.isUnseen('A')).toBe(false)
    undecided.settled(2)
    expect(undecided.isEmpty).toBe(true)
    expect(undecided.upTo(2)).toEqual({ retired: [], armed: [], requests: [], resets: [], changed: [] })
  })

  it('enabled: what it had when it was on before is not its', () => {
    history.created({}, false)
    history.event('TaskDisabled', { cause: 'requested' }, { isHeard: false })
    history.event('TaskEnabled', { runsLeft: null })
    undecided.arm('A', 3)
    history.event('TaskDisabled', { cause: 'requested' })
    expect(retired(4)).toEqual([[2, 3, 'disabled', true]])
  })
})

describe('a task that the last tick had planned', () => {
  it('is not armed again: what lies before the cursor is decided', () => {
    history.created({}, false)
    history.event('TaskHistoryReset', {})
    undecided.arm('A', 2)
    expect(undecided.upTo(2).armed).toEqual([])
    expect(retired(2)).toEqual([[0, 1, 'superseded', false]])
  })

  it('disabled and enabled: nor then', () => {
    history.created({}, false)
    history.event('TaskDisabled', { cause: 'requested' })
    history.event('TaskEnabled', { runsLeft: null })
    undecided.arm('A', 3)
    expect(undecided.upTo(3).armed).toEqual([])
    expect(retired(3)).toEqual([[0, 1, 'disabled', false]])
  })
})

describe('jitter', () => {
  const changed = (position: number) =>
    undecided.upTo(position).changed.map(({ taskId, former }) => [taskId, former?.jitterMs])

  it('added: there is no former jitter', () => {
    history.created({}, false)
    history.jitter(30)
    expect(changed(1)).toEqual([])
    expect(changed(2)).toEqual([['A', undefined]])
  })

  it('changed more than once: the former one is what the last checkpoint had', () => {
    history.created({ jitterSeconds: 10 }, false)
    history.jitter(30)
    history.jitter(60)
    expect(changed(3)).toEqual([['A', 10_000]])
    undecided.settled(2)
    expect(changed(3)).toEqual([['A', 30_000]])
  })

  it('changed at the same time as before, since the wall had been set back', () => {
    history.created({}, false)
    const data = { changes: { jitterSeconds: 30 }, rearmed: true, runsLeft: null }
    history.event('TaskChanged', data, { at: noon })
    expect(changed(2)).toEqual([['A', undefined]])
    expect(retired(2)).toEqual([])
  })

  it('of a task that no tick has planned: nothing was decided by another', () => {
    history.created({ jitterSeconds: 10 })
    history.jitter(30)
    expect(changed(2)).toEqual([])
  })

  it('of a task whose calendar or schedule has changed', () => {
    history.created({ jitterSeconds: 10 }, false)
    const lookups: Lookups = { schedule: () => undefined, calendar: () => undefined }
    const former = definitions.resolve(history.current, lookups)
    if (!former.ok) throw new Error('no definition')
    undecided.referredChanged(former.value, 7)
    expect(changed(6)).toEqual([])
    expect(changed(7)).toEqual([['A', 10_000]])
  })
})

it('asks for a manual run once, by the first tick that has it', () => {
  history.created({}, false)
  history.event('TaskTriggered', { args: [1] })
  expect(undecided.upTo(1).requests).toEqual([])
  expect(undecided.upTo(2).requests).toMatchObject([
    { taskId: 'A', kind: 'manual', instants: [noon + minute], override: { args: [1] } },
  ])
  undecided.settled(2)
  expect(undecided.isEmpty).toBe(true)
})

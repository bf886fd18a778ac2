import type { RunCommand, RunRecord, RunStatus } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { compareText, lowerBound } from './lists.js'

/** `ready` and `delayed` (until `notBefore`) are both `queued` to the outside. */
export type RowState = 'ready' | 'delayed' | Exclude<RunStatus, 'queued'>

/** A run as it is kept: changed in place, so it never leaves the store. */
export interface Row {
  readonly command: RunCommand
  state: RowState
  attempt: number
  worker: string | null
  startedAt: Instant | null
  finishedAt: Instant | null
  notBefore: Instant | null
  /** Null while it is running: it was not leased here, so nothing lapses. */
  leaseExpiresAt: Instant | null
  /** Stays when the lease lapses: as long as nobody else has the run, the worker that was late may finish it. */
  leaseToken: string | null
  error: string | null
  cancelRequested: boolean
}

export const statusOf = (state: RowState): RunStatus =>
  state === 'ready' || state === 'delayed' ? 'queued' : state

export const isFinished = ({ state }: Row): boolean =>
  state !== 'ready' && state !== 'delayed' && state !== 'running'

export const recordOf = (row: Row): RunRecord => ({
  command: row.command,
  status: statusOf(row.state),
  attempt: row.attempt,
  worker: row.worker,
  startedAt: row.startedAt,
  finishedAt: row.finishedAt,
  notBefore: row.notBefore,
  leaseExpiresAt: row.leaseExpiresAt,
  error: row.error,
  cancelRequested: row.cancelRequested,
})

export const change = (row: Row, changes: Partial<Omit<Row, 'command' | 'state'>>): Row =>
  Object.assign(row, changes)

/** The unfinished runs of one queue. */
export interface Lane {
  /** In the order in which they are handed out. */
  readonly ready: Row[]
  readonly delayed: Set<Row>
  readonly running: Set<Row>
}

const emptyLane: Lane = { ready: [], delayed: new Set(), running: new Set() }
const laneKey = (namespace: string, queue: string): string => `${namespace}\u0000${queue}`

/** All runs, and where they are found by what they are now. A state is changed through `move` only. */
export class RunTable {
  private readonly rows = new Map<string, Row>()
  private readonly lanes = new Map<string, Lane>()
  private readonly unfinished = new Map<string, Set<Row>>()
  private readonly running = new Map<string, Set<Row>>()
  private readonly counted = new Map<RunStatus, number>()
  /** Oldest scheduled first. */
  private readonly byNamespace = new Map<string, Row[]>()
  private readonly byTask = new Map<string, Row[]>()

  /** A new queued run; undefined when its id is there already. */
  insert(command: RunCommand): Row | undefined {
    if (this.rows.has(command.runId)) return undefined
    const row = newRow(command)
    this.rows.set(command.runId, row)
    insertSorted(entryOf(this.byNamespace, command.namespace, newRows), row, compareAge)
    insertSorted(entryOf(this.byTask, command.taskId, newRows), row, compareAge)
    entryOf(this.unfinished, command.taskId, newSet).add(row)
    this.enter(row)
    return row
  }

  row(runId: string): Row | undefined {
    return this.rows.get(runId)
  }

  lane(namespace: string, queue: string): Lane {
    return this.lanes.get(laneKey(namespace, queue)) ?? emptyLane
  }

  /** Of the task: queued and running ones. */
  unfinishedOf(taskId: string): ReadonlySet<Row> {
    return this.unfinished.get(taskId) ?? emptyLane.running
  }

  runningOf(taskId: string): ReadonlySet<Row> {
    return this.running.get(taskId) ?? emptyLane.running
  }

  /** Oldest scheduled first: of a task, else of the namespace. */
  byAge(namespace: string, taskId?: string): readonly Row[] {
    if (taskId === undefined) return this.byNamespace.get(namespace) ?? []
    return (this.byTask.get(taskId) ?? []).filter(({ command }) => command.namespace === namespace)
  }

  counts(): ReadonlyMap<RunStatus, number> {
    return new Map([...this.counted].filter(([, count]) => count > 0))
  }

  move(row: Row, to: RowState): void {
    this.exit(row)
    row.state = to
    this.enter(row)
    if (isFinished(row)) dropOf(this.unfinished, row)
  }

  /** Forgets at most `max` finished runs, those that ended first; answers how many. */
  prune(before: Instant, max: number): number {
    const old: Row[] = []
    for (const row of this.rows.values()) if (isFinished(row) && (row.finishedAt ?? 0) < before) old.push(row)
    old.sort((a, b) => (a.finishedAt ?? 0) - (b.finishedAt ?? 0))
    const pruned = new Set(old.slice(0, Math.max(0, max)))
    for (const row of pruned) {
      this.rows.delete(row.command.runId)
      this.count(row, -1)
    }
    for (const lists of [this.byNamespace, this.byTask]) dropFrom(lists, pruned)
    return pruned.size
  }

  private exit(row: Row): void {
    this.count(row, -1)
    const lane = this.laneOf(row)
    if (row.state === 'ready') removeSorted(lane.ready, row)
    else if (row.state === 'delayed') lane.delayed.delete(row)
    else if (row.state === 'running') {
      lane.running.delete(row)
      dropOf(this.running, row)
    }
  }

  private enter(row: Row): void {
    this.count(row, 1)
    const lane = this.laneOf(row)
    if (row.state === 'ready') insertSorted(lane.ready, row, compareReady)
    else if (row.state === 'delayed') lane.delayed.add(row)
    else if (row.state === 'running') {
      lane.running.add(row)
      entryOf(this.running, row.command.taskId, newSet).add(row)
    }
  }

  private laneOf({ command: { namespace, queue } }: Row): Lane {
    return entryOf(this.lanes, laneKey(namespace, queue), newLane)
  }

  private count(row: Row, change: 1 | -1): void {
    const status = statusOf(row.state)
    this.counted.set(status, (this.counted.get(status) ?? 0) + change)
  }
}

const newRow = (command: RunCommand): Row => ({
  command,
  state: 'ready',
  attempt: 0,
  worker: null,
  startedAt: null,
  finishedAt: null,
  notBefore: null,
  leaseExpiresAt: null,
  leaseToken: null,
  error: null,
  cancelRequested: false,
})
const newRows = (): Row[] => []
const newSet = (): Set<Row> => new Set()
const newLane = (): Lane => ({ ready: [], delayed: new Set(), running: new Set() })

/** By priority, none counting as 0; then by scheduled instant, then by run id. */
const compareReady = ({ command: a }: Row, { command: b }: Row): number =>
  (b.priority ?? 0) - (a.priority ?? 0) || a.scheduledAt - b.scheduledAt || compareText(a.runId, b.runId)

const compareAge = ({ command: a }: Row, { command: b }: Row): number =>
  a.scheduledAt - b.scheduledAt || compareText(a.runId, b.runId)

function insertSorted(rows: Row[], row: Row, compare: (a: Row, b: Row) => number): void {
  const last = rows.at(-1)
  if (last === undefined || compare(last, row) < 0) {
    rows.push(row)
    return
  }
  const index = lowerBound(rows, (other) => compare(other, row) > 0)
  rows.splice(index, 0, row)
}

function removeSorted(ready: Row[], row: Row): void {
  const index = lowerBound(ready, (other) => compareReady(other, row) >= 0)
  if (ready[index] === row) ready.splice(index, 1)
}

function dropOf(sets: Map<string, Set<Row>>, row: Row): void {
  const { taskId } = row.command
  const rows = sets.get(taskId)
  rows?.delete(row)
  if (rows?.size === 0) sets.delete(taskId)
}

function dropFrom(lists: Map<string, Row[]>, dropped: ReadonlySet<Row>): void {
  for (const [key, rows] of lists) {
    const left = rows.filter((row) => !dropped.has(row))
    if (left.length === 0) lists.delete(key)
    else if (left.length < rows.length) lists.set(key, left)
  }
}

function entryOf<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

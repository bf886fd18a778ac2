import type { RunRecord } from '@almanac/domain'
import type { Listed, Page, RunFilter } from '@almanac/engine'
import { type Condition, sqlOf, valuesOf } from './condition.js'
import { decodeCursor, encodeCursor, limitOf } from './cursor.js'
import type { Database, Statement } from './database.js'
import { mainRuns, type RunRow, type RunShape, runState, statesOf } from './run-rows.js'

interface ListedRow extends RunRow {
  readonly run_id: string
  readonly scheduled_at: number
}

/** Run history: newest scheduled first, keyset pages, counted totals. */
export class RunLists {
  readonly #database: Database
  readonly #shape: RunShape
  readonly #statements = new Map<string, Statement>()

  constructor(database: Database, shape: RunShape = mainRuns) {
    this.#database = database
    this.#shape = shape
  }

  list(namespace: string, filter: RunFilter, page: Page): Listed<RunRecord> {
    const limit = limitOf(page.limit)
    const start = page.cursor === undefined ? undefined : decodeCursor(page.cursor, 'number')
    const conditions = conditionsOf(namespace, filter)
    const after: Condition[] =
      start === undefined ? [] : [{ sql: '(scheduled_at, run_id) < (?, ?)', values: [start.key, start.id] }]
    const rows = this.#rows([...conditions, ...after], filter, limit + 1)
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    const more = rows.length > limit && last !== undefined
    return {
      items: shown.map(this.#shape.recordOf),
      nextCursor: more ? encodeCursor(last.scheduled_at, last.run_id) : null,
      total: this.#total(filter, conditions),
    }
  }

  /**
   * With a status each of its states is read by itself, so that the index gives the order, and a rare status
   * is found among a million finished runs.
   */
  #rows(conditions: readonly Condition[], { status }: RunFilter, limit: number): readonly ListedRow[] {
    if (status === undefined) return this.#read(conditions, limit)
    const parts = statesOf(status).map((state) => {
      const rare = state === runState.succeeded ? '' : ' AND state <> 3'
      return this.#read([...conditions, { sql: `state = ${state}${rare}`, values: [] }], limit)
    })
    return parts.flat().sort(newestFirst).slice(0, limit)
  }

  #read(conditions: readonly Condition[], limit: number): ListedRow[] {
    const sql = `SELECT run_id, scheduled_at, ${this.#shape.columns} FROM runs JOIN run_commands USING (run)
      WHERE ${sqlOf(conditions)} ORDER BY scheduled_at DESC, run_id DESC LIMIT ?`
    return this.#prepared(sql).all(...valuesOf(conditions), limit) as ListedRow[]
  }

  /** Kept counts answer what does not depend on a task or on time. */
  #total(filter: RunFilter, conditions: readonly Condition[]): number {
    const { taskId, status, from, until } = filter
    const kept = taskId === undefined && from === undefined && until === undefined
    const all = [...conditions]
    if (status !== undefined && kept) all.push({ sql: 'status = ?', values: [status] })
    else if (status !== undefined) all.push({ sql: `state IN (${statesOf(status)})`, values: [] })
    const source = kept ? 'coalesce(sum(count), 0) AS n FROM run_counts' : 'count(*) AS n FROM runs'
    const statement = this.#prepared(`SELECT ${source} WHERE ${sqlOf(all)}`)
    return (statement.get(...valuesOf(all)) as { n: number }).n
  }

  #prepared(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

const conditionsOf = (namespace: string, filter: RunFilter): readonly Condition[] => {
  const conditions: Condition[] = [{ sql: 'namespace = ?', values: [namespace] }]
  const add = (sql: string, value: string | number | undefined) => {
    if (value !== undefined) conditions.push({ sql, values: [value] })
  }
  add('task_id = ?', filter.taskId)
  add('queue = ?', filter.queue)
  add('kind = ?', filter.kind)
  add('scheduled_at >= ?', filter.from)
  add('scheduled_at < ?', filter.until)
  return conditions
}

const newestFirst = (a: ListedRow, b: ListedRow): number =>
  b.scheduled_at - a.scheduled_at || (a.run_id < b.run_id ? 1 : -1)

import { getHeapStatistics } from 'node:v8'
import type { Position } from '@almanac/domain'
import { byName, type Listed, type Page, type TaskOrder, type Versioned } from '@almanac/engine'
import { type Condition, sqlOf, valuesOf } from './condition.js'
import { decodeCursor, encodeCursor, limitOf } from './cursor.js'
import type { Database, Statement } from './database.js'

export type Value = string | number | null

/** What is read of a state into columns of its own. */
export interface TableShape<S> {
  readonly table: string
  /** Columns beside id, namespace, name and active, with their SQL types. */
  readonly columns: readonly string[]
  /** Columns that an entity keeps for ever: written with its first version, and not in its past ones. */
  readonly fixed: readonly string[]
  readonly indexes: readonly string[]
  /** Columns of a replaced version that `put` answers. */
  readonly watched: readonly string[]
  readonly keysOf: (state: S) => {
    readonly id: string
    readonly namespace: string
    readonly name: string
    readonly active: boolean
  }
  /** In the order of `columns`. */
  readonly valuesOf: (state: S) => readonly Value[]
  /** In the order of `fixed`. */
  readonly fixedOf: (state: S) => readonly Value[]
}

const columnName = (column: string): string => column.split(' ', 1)[0] ?? ''

const namesOf = <S>(shape: TableShape<S>): readonly string[] => [
  'id',
  'namespace',
  'name',
  'active',
  ...shape.columns.map(columnName),
]

/**
 * The current version of each entity in small rows with the documents apart, so that a filter over a million
 * rows does not read a million documents; versions that were replaced in a table of their own, with the
 * positions `[from, to)` between which they held.
 */
export const schemaOf = <S>(shape: TableShape<S>): string => {
  const { table } = shape
  const common = 'id TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, active INTEGER NOT NULL'
  const columns = [common, ...shape.columns].join(', ')
  const current = [columns, ...shape.fixed].join(', ')
  return `
    CREATE TABLE ${table}(row INTEGER PRIMARY KEY, ${current}, from_position INTEGER NOT NULL) STRICT;
    CREATE UNIQUE INDEX ${table}_by_id ON ${table}(id);
    CREATE INDEX ${table}_by_name ON ${table}(namespace, name, id) WHERE active = 1;
    CREATE TABLE ${table}_docs(row INTEGER PRIMARY KEY, doc TEXT NOT NULL) STRICT;
    CREATE TABLE ${table}_versions(
      ${columns}, from_position INTEGER NOT NULL, to_position INTEGER NOT NULL, doc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX ${table}_versions_by_id ON ${table}_versions(id, from_position);
    CREATE INDEX ${table}_versions_by_end ON ${table}_versions(namespace, to_position);
    ${shape.indexes.join(';\n')};`
}

/**
 * States of one generation. A task as they mostly are takes 1 to 2 KB, so two generations take at most a tenth of the
 * memory that this process may have.
 */
const generation = Math.ceil(getHeapStatistics().heap_size_limit / 40_000)

/**
 * States that were read last, so that what is due every minute is not parsed every minute three times. They are shared
 * by all who ask, which nobody may change. Two generations: when the younger is full, the older is forgotten.
 */
class Recent<S> {
  #young = new Map<string, S>()
  #old = new Map<string, S>()

  get(id: string): S | undefined {
    const young = this.#young.get(id)
    if (young !== undefined) return young
    const old = this.#old.get(id)
    if (old !== undefined) this.remember(id, old)
    return old
  }

  remember(id: string, state: S): void {
    if (this.#young.size >= generation) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(id, state)
  }

  /** Before it is written: whatever becomes of the transaction, the file is read next. */
  forget(id: string): void {
    this.#young.delete(id)
    this.#old.delete(id)
  }
}

/** What a stored version replaced: its watched columns, or undefined for the first version. */
export interface Put {
  readonly before: object | undefined
}

interface ListedRow {
  readonly sort_key: string | number
  readonly id: string
  readonly doc: string
}

/** One kind of entity in the view store. Writes are made inside of a transaction. */
export class VersionedTable<S> {
  readonly #database: Database
  readonly #shape: TableShape<S>
  readonly #names: string
  readonly #statements: Statements
  readonly #prepared = new Map<string, Statement>()
  readonly #recent = new Recent<S>()

  constructor(database: Database, shape: TableShape<S>) {
    this.#database = database
    this.#shape = shape
    this.#names = namesOf(shape).join(', ')
    this.#statements = prepare(database, shape)
  }

  /** Stores a version, which must be newer than what is there. */
  put({ state, position }: Versioned<S>): Put {
    const { current, close, update, updateDoc, insert, insertDoc } = this.#statements
    const { id, namespace, name, active } = this.#shape.keysOf(state)
    this.#recent.forget(id)
    const known = current.get(id) as { row: number } | undefined
    const values = [id, namespace, name, active ? 1 : 0, ...this.#shape.valuesOf(state), position]
    const doc = JSON.stringify(state)
    if (known === undefined) {
      insertDoc.run(insert.run(...values, ...this.#shape.fixedOf(state)).lastInsertRowid, doc)
      return { before: undefined }
    }
    close.run(position, known.row)
    update.run(...values, known.row)
    updateDoc.run(doc, known.row)
    return { before: known }
  }

  get(id: string): S | undefined {
    const recent = this.#recent.get(id)
    if (recent !== undefined) return recent
    const state = parsed<S>(this.#statements.get.get(id))
    if (state !== undefined) this.#recent.remember(id, state)
    return state
  }

  /** Of many, those that are there: what is not at hand is read in one go, at half the time that each alone takes. */
  getAll(ids: readonly string[]): ReadonlyMap<string, S> {
    const found = new Map<string, S>()
    const missing: string[] = []
    for (const id of ids) {
      const recent = this.#recent.get(id)
      if (recent === undefined) missing.push(id)
      else found.set(id, recent)
    }
    if (missing.length === 0) return found
    for (const row of this.#statements.getAll.all(JSON.stringify(missing)) as { id: string; doc: string }[]) {
      const state = JSON.parse(row.doc) as S
      this.#recent.remember(row.id, state)
      found.set(row.id, state)
    }
    return found
  }

  asOf(id: string, position: Position): S | undefined {
    const { currentAsOf, versionAsOf } = this.#statements
    return parsed<S>(currentAsOf.get(id, position) ?? versionAsOf.get(id, position, position))
  }

  idByName(namespace: string, name: string): string | undefined {
    return (this.#statements.byName.get(namespace, name) as { id: string } | undefined)?.id
  }

  /**
   * Active entities by name (code point order), those that meet all conditions; as they were at `asOf`. A
   * total that is known already is not counted again.
   */
  list(
    namespace: string,
    conditions: readonly Condition[],
    page: Page,
    { asOf, total }: { readonly asOf?: Position | undefined; readonly total?: number | undefined } = {},
  ): Listed<S> {
    const limit = limitOf(page.limit)
    const { by, isDescending } = page.order ?? byName
    const order = { key: keyOf[by], isDescending }
    const start =
      page.cursor === undefined ? undefined : decodeCursor(page.cursor, by === 'name' ? 'string' : 'number')
    const source = this.#source(namespace, asOf)
    const sql = `(${order.key}, id) ${isDescending ? '<' : '>'} (?, ?)`
    const after: Condition[] = start === undefined ? [] : [{ sql, values: [start.key, start.id] }]
    const rows = this.#rows(source, [...conditions, ...after], limit + 1, order)
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    return {
      items: shown.map((row) => JSON.parse(row.doc) as S),
      nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last.sort_key, last.id) : null,
      total: total ?? this.#total(source, conditions),
    }
  }

  #rows(
    source: Source,
    conditions: readonly Condition[],
    limit: number,
    { key, isDescending }: { readonly key: string; readonly isDescending: boolean },
  ): ListedRow[] {
    const way = isDescending ? 'DESC' : 'ASC'
    const sql = `SELECT ${key} AS sort_key, id, doc FROM ${source.from}
      WHERE ${sqlOf([source.scope, ...conditions])} ORDER BY ${key} ${way}, id ${way} LIMIT ?`
    const values = [...source.values, ...valuesOf([source.scope, ...conditions]), limit]
    return this.#statement(sql).all(...values) as ListedRow[]
  }

  #total(source: Source, conditions: readonly Condition[]): number {
    const sql = `SELECT count(*) AS n FROM ${source.countFrom} WHERE ${sqlOf([source.scope, ...conditions])}`
    const values = [...source.values, ...valuesOf([source.scope, ...conditions])]
    return (this.#statement(sql).get(...values) as { n: number }).n
  }

  #source(namespace: string, asOf?: Position): Source {
    const { table } = this.#shape
    const scope = { sql: 'namespace = ? AND active = 1', values: [namespace] }
    if (asOf === undefined) {
      return { from: `${table} JOIN ${table}_docs USING (row)`, countFrom: table, values: [], scope }
    }
    const from = `(
      SELECT ${this.#names}, doc FROM ${table} JOIN ${table}_docs USING (row) WHERE from_position <= ?
      UNION ALL
      SELECT ${this.#names}, doc FROM ${table}_versions WHERE from_position <= ? AND to_position > ?)`
    return { from, countFrom: from, values: [asOf, asOf, asOf], scope }
  }

  #statement(sql: string): Statement {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#prepared.set(sql, statement)
    return statement
  }
}

/** What a list is sorted by. Times are in the documents: no index has them, so that they cost nothing when written. */
const keyOf: { readonly [by in TaskOrder['by']]: string } = {
  name: 'name',
  createdAt: "json_extract(doc, '$.createdAt')",
  changedAt: "json_extract(doc, '$.changedAt')",
}

/** Where a list reads from; `values` are bound before the scope's. */
interface Source {
  readonly from: string
  readonly countFrom: string
  readonly values: readonly number[]
  readonly scope: Condition
}

const parsed = <S>(row: unknown): S | undefined =>
  row === undefined ? undefined : (JSON.parse((row as { doc: string }).doc) as S)

interface Statements {
  readonly current: Statement
  readonly close: Statement
  readonly update: Statement
  readonly updateDoc: Statement
  readonly insert: Statement
  readonly insertDoc: Statement
  readonly get: Statement
  readonly getAll: Statement
  readonly currentAsOf: Statement
  readonly versionAsOf: Statement
  readonly byName: Statement
}

const prepare = <S>(database: Database, shape: TableShape<S>): Statements => {
  const { table } = shape
  const names = [...namesOf(shape), 'from_position']
  const list = names.join(', ')
  const marksOf = (columns: readonly string[]) => columns.map(() => '?').join(', ')
  const all = [...names, ...shape.fixed.map(columnName)]
  const joined = `${table} JOIN ${table}_docs USING (row)`
  return {
    current: database.prepare(`SELECT ${['row', ...shape.watched].join(', ')} FROM ${table} WHERE id = ?`),
    close: database.prepare(
      `INSERT INTO ${table}_versions (${list}, to_position, doc)
       SELECT ${list}, ?, doc FROM ${joined} WHERE row = ?`,
    ),
    update: database.prepare(`UPDATE ${table} SET (${list}) = (${marksOf(names)}) WHERE row = ?`),
    updateDoc: database.prepare(`UPDATE ${table}_docs SET doc = ? WHERE row = ?`),
    insert: database.prepare(`INSERT INTO ${table} (${all.join(', ')}) VALUES (${marksOf(all)})`),
    insertDoc: database.prepare(`INSERT INTO ${table}_docs (row, doc) VALUES (?, ?)`),
    get: database.prepare(`SELECT doc FROM ${joined} WHERE id = ?`),
    // The list is looked through once and each id found by the index, whatever the planner thinks of either's length.
    getAll: database.prepare(
      `SELECT ${table}.id AS id, doc FROM json_each(?) AS asked
       CROSS JOIN ${table} ON ${table}.id = asked.value CROSS JOIN ${table}_docs USING (row)`,
    ),
    currentAsOf: database.prepare(`SELECT doc FROM ${joined} WHERE id = ? AND from_position <= ?`),
    versionAsOf: database.prepare(
      `SELECT doc FROM ${table}_versions WHERE id = ? AND from_position <= ? AND to_position > ?`,
    ),
    byName: database.prepare(
      `SELECT id FROM ${table} WHERE namespace = ? AND name = ? AND active = 1 LIMIT 1`,
    ),
  }
}

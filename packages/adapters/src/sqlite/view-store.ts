import { rmSync } from 'node:fs'
import {
  type CalendarState,
  type Marker,
  type Position,
  type ScheduleState,
  slotOf,
  slots,
  type TaskState,
} from '@almanac/domain'
import type { Listed, Page, SlotFilter, TaskFilter, ViewBatch, ViewStore } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import { closeDatabase, type Database, openDatabase, type Statement } from './database.js'
import { reading } from './faults.js'
import { othersTurn } from './others-turn.js'
import { staircaseOf } from './staircase.js'
import { type CountedTask, type Counts, countedOf, TaskCounts } from './task-counts.js'
import { schemaOf, VersionedTable } from './versioned-table.js'
import { calendarShape, scheduleShape, taskConditions, taskShape } from './view-shapes.js'

export interface ViewStoreOptions {
  readonly path: string
  /** The log that the read models are made of: views of another one, or of a longer one, are thrown away. */
  readonly log: { readonly id: string; readonly position: Position }
  /** Told in a sentence when the read models start over, and why. */
  readonly notice: (message: string) => void
  /** @default 'quick' */
  readonly check?: 'none' | 'quick'
}

/** Raised with every change of the tables: files of another version are rebuilt, never migrated. */
const schemaVersion = 5

const schema = `
CREATE TABLE meta(
  id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, log_id TEXT NOT NULL, position INTEGER NOT NULL
) STRICT;
CREATE TABLE markers(namespace TEXT PRIMARY KEY, position INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE times(at INTEGER PRIMARY KEY, position INTEGER NOT NULL) STRICT;
${schemaOf(taskShape)}
${schemaOf(scheduleShape)}
${schemaOf(calendarShape)}
`

/** Opens the read models, or starts them anew at position 0 when what is there can't be used. */
export const openViewStore = (options: ViewStoreOptions): SqliteViewStore => {
  const opened = openUsable(options)
  if (typeof opened !== 'string') return new SqliteViewStore(opened)
  if (opened !== '') options.notice(`The read models are rebuilt from the log: ${opened}.`)
  for (const suffix of ['', '-wal', '-shm']) rmSync(options.path + suffix, { force: true })
  const database = openFile(options, 'none')
  const insert = database.prepare('INSERT INTO meta VALUES (1, ?, ?, 0)')
  insert.run(schemaVersion, options.log.id)
  return new SqliteViewStore(database)
}

const openFile = ({ path }: ViewStoreOptions, check: 'none' | 'quick'): Database =>
  openDatabase({ path, durability: 'normal', migrations: [schema], check, readOnly: false })

/** The database, or why it can't be used; '' when there is nothing yet. */
const openUsable = (options: ViewStoreOptions): Database | string => {
  let database: Database
  try {
    database = openFile(options, options.check ?? 'quick')
  } catch (error) {
    return `views.db can not be used (${error instanceof Error ? error.message : String(error)})`
  }
  const reason = reasonAgainst(database, options.log)
  if (reason === undefined) return database
  database.close()
  return reason
}

const reasonAgainst = (database: Database, log: ViewStoreOptions['log']): string | undefined => {
  const { names } = database
    .prepare("SELECT group_concat(name) AS names FROM pragma_table_info('meta')")
    .get() as { names: string | null }
  if (names !== 'id,version,log_id,position') return 'views.db is of another version'
  const meta = database.prepare('SELECT version, log_id, position FROM meta').get() as
    | { version: number; log_id: string; position: number }
    | undefined
  if (meta === undefined) return ''
  if (meta.version !== schemaVersion) return 'views.db is of another version'
  if (meta.log_id !== log.id) return 'views.db belongs to another log'
  return meta.position > log.position
    ? `views.db is at position ${meta.position}, the log ends at ${log.position}`
    : undefined
}

export class SqliteViewStore implements ViewStore {
  readonly #database: Database
  readonly #tasks: VersionedTable<TaskState>
  readonly #schedules: VersionedTable<ScheduleState>
  readonly #calendars: VersionedTable<CalendarState>
  readonly #statements: Statements
  readonly #counts: TaskCounts
  #position: Position

  constructor(database: Database) {
    this.#database = database
    this.#tasks = new VersionedTable(database, taskShape)
    this.#schedules = new VersionedTable(database, scheduleShape)
    this.#calendars = new VersionedTable(database, calendarShape)
    this.#statements = prepare(database)
    this.#counts = new TaskCounts(database)
    this.#position = (database.prepare('SELECT position FROM meta').get() as { position: number }).position
  }

  position(): Position {
    return this.#position
  }

  /** What has been applied before changes nothing. */
  apply(whole: ViewBatch): void {
    if (whole.position <= this.#position) return
    const batch = after(this.#position, whole)
    const counted = reading(() => {
      this.#statements.begin.run()
      try {
        const changes = this.#write(batch)
        this.#statements.commit.run()
        return changes
      } catch (error) {
        if (this.#database.isTransaction) this.#statements.rollback.run()
        throw error
      }
    })
    this.#position = batch.position
    for (const { before, after } of counted) this.#counts.change(before, after)
  }

  task(taskId: string): TaskState | undefined {
    return reading(() => this.#tasks.get(taskId))
  }

  tasks(taskIds: readonly string[]): ReadonlyMap<string, TaskState> {
    return reading(() => this.#tasks.getAll(taskIds))
  }

  taskIdByName(namespace: string, name: string): string | undefined {
    return reading(() => this.#tasks.idByName(namespace, name))
  }

  listTasks(namespace: string, filter: TaskFilter, page: Page, asOf?: Position): Listed<TaskState> {
    const past = this.#past(asOf)
    const conditions = taskConditions(namespace, filter, past)
    return reading(() => {
      const total = past === undefined ? this.#counts.total(namespace, filter) : undefined
      return this.#tasks.list(namespace, conditions, page, { asOf: past, total })
    })
  }

  taskAsOf(taskId: string, asOf: Position): TaskState | undefined {
    return reading(() => this.#tasks.asOf(taskId, asOf))
  }

  plannable(after: string, max: number, only?: SlotFilter): readonly TaskState[] {
    if (only !== undefined) return this.#plannableIn(only, after, max)
    return statesIn(reading(() => this.#statements.plannable.get(after, max)))
  }

  othersTurn(): Promise<void> {
    return othersTurn()
  }

  /** Slot by slot, by id in each: the index is read from where it stopped, and only there. */
  #plannableIn({ partition, partitions }: SlotFilter, after: string, max: number): readonly TaskState[] {
    const found: TaskState[] = []
    let from = after
    for (let slot = after === '' ? partition : slotOf(after); slot < slots; slot += partitions) {
      const row = reading(() => this.#statements.plannableInSlot.get(slot, from, max - found.length))
      found.push(...statesIn(row))
      if (found.length >= max) break
      from = ''
    }
    return found
  }

  tasksUsing(namespace: string, scheduleName: string): readonly string[] {
    const rows = reading(() => this.#statements.using.all(namespace, scheduleName)) as { id: string }[]
    return rows.map(({ id }) => id)
  }

  counts(): Counts {
    return reading(() => this.#counts.all())
  }

  schedule(scheduleId: string): ScheduleState | undefined {
    return reading(() => this.#schedules.get(scheduleId))
  }

  listSchedules(namespace: string, page: Page, asOf?: Position): Listed<ScheduleState> {
    return reading(() => this.#schedules.list(namespace, [], page, { asOf: this.#past(asOf) }))
  }

  calendar(calendarId: string): CalendarState | undefined {
    return reading(() => this.#calendars.get(calendarId))
  }

  listCalendars(namespace: string, page: Page, asOf?: Position): Listed<CalendarState> {
    return reading(() => this.#calendars.list(namespace, [], page, { asOf: this.#past(asOf) }))
  }

  marker(namespace: string): Marker | undefined {
    const row = reading(() => this.#statements.marker.get(namespace)) as Marker | undefined
    return row === undefined ? undefined : { position: row.position, at: row.at }
  }

  positionAt(at: Instant): Position {
    const row = reading(() => this.#statements.positionAt.get(at)) as { position: number } | undefined
    return row?.position ?? 0
  }

  /** May be called again. */
  close(): void {
    closeDatabase(this.#database)
  }

  /** Answers what the stored tasks change in the counts. */
  #write(batch: ViewBatch): readonly CountChange[] {
    const changes: CountChange[] = []
    for (const version of batch.tasks) {
      const { before } = this.#tasks.put(version)
      changes.push({ before: before as CountedTask | undefined, after: countedOf(version.state) })
    }
    for (const version of batch.schedules) this.#schedules.put(version)
    for (const version of batch.calendars) this.#calendars.put(version)
    const { putMarker, move } = this.#statements
    for (const [namespace, { position, at }] of batch.markers) putMarker.run(namespace, position, at)
    this.#noteTimes(batch)
    move.run(batch.position)
    return changes
  }

  #noteTimes(batch: ViewBatch): void {
    const steps = staircaseOf([...batch.tasks, ...batch.schedules, ...batch.calendars, batch])
    const { dropTimes, putTime } = this.#statements
    const first = steps[0]
    if (first !== undefined) dropTimes.run(first.at)
    for (const { at, position } of steps) putTime.run(at, position)
  }

  /** Undefined when it is now. */
  #past(asOf: Position | undefined): Position | undefined {
    return asOf === undefined || asOf >= this.#position ? undefined : asOf
  }
}

const statesIn = (row: unknown): TaskState[] => {
  const { docs } = row as { docs: string | null }
  return docs === null ? [] : (JSON.parse(`[${docs}]`) as TaskState[])
}

/** The part of a batch that lies after a position. */
const after = (position: Position, batch: ViewBatch): ViewBatch => {
  const isNew = (version: { readonly position: Position }) => version.position > position
  return {
    ...batch,
    tasks: batch.tasks.filter(isNew),
    schedules: batch.schedules.filter(isNew),
    calendars: batch.calendars.filter(isNew),
  }
}

interface CountChange {
  readonly before: CountedTask | undefined
  readonly after: CountedTask
}

interface Statements {
  readonly begin: Statement
  readonly commit: Statement
  readonly rollback: Statement
  readonly move: Statement
  readonly putMarker: Statement
  readonly marker: Statement
  readonly dropTimes: Statement
  readonly putTime: Statement
  readonly positionAt: Statement
  readonly plannable: Statement
  readonly plannableInSlot: Statement
  readonly using: Statement
}

const prepare = (database: Database): Statements => ({
  begin: database.prepare('BEGIN IMMEDIATE'),
  commit: database.prepare('COMMIT'),
  rollback: database.prepare('ROLLBACK'),
  move: database.prepare('UPDATE meta SET position = ?'),
  putMarker: database.prepare(
    `INSERT INTO markers VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET position = excluded.position, at = excluded.at`,
  ),
  marker: database.prepare('SELECT position, at FROM markers WHERE namespace = ?'),
  dropTimes: database.prepare('DELETE FROM times WHERE at >= ?'),
  putTime: database.prepare('INSERT INTO times VALUES (?, ?)'),
  positionAt: database.prepare('SELECT position FROM times WHERE at <= ? ORDER BY at DESC LIMIT 1'),
  // One text for the whole batch: a million calls for a row each cost more than the rows.
  plannable: database.prepare(
    `SELECT group_concat(doc) AS docs FROM (
       SELECT doc FROM tasks INDEXED BY tasks_plannable JOIN tasks_docs USING (row)
       WHERE plannable = 1 AND id > ? ORDER BY id LIMIT ?)`,
  ),
  plannableInSlot: database.prepare(
    `SELECT group_concat(doc) AS docs FROM (
       SELECT doc FROM tasks INDEXED BY tasks_plannable_by_slot JOIN tasks_docs USING (row)
       WHERE plannable = 1 AND slot = ? AND id > ? ORDER BY id LIMIT ?)`,
  ),
  using: database.prepare(
    'SELECT id FROM tasks WHERE namespace = ? AND schedule_ref = ? AND active = 1 ORDER BY id',
  ),
})

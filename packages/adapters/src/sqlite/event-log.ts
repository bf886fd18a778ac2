import type { EventMetadata, Position, RecordedEvent, Revision, StoredEvent } from '@almanac/domain'
import {
  type AppendResult,
  appendedAt,
  type Clock,
  createStop,
  type EventFilter,
  type EventLog,
  type EventPage,
  type ExpectedRevision,
  type Stop,
} from '@almanac/engine'
import { type Committer, tailOf, tailSql } from './committer.js'
import type { Database, Statement } from './database.js'
import { type EventRow, eventColumns, nextChain, recorded, rowOf } from './event-row.js'
import { reading } from './faults.js'
import { othersTurn } from './others-turn.js'

/** A filtered read looks at no more events than this, so that a rare stream does not hold up the process. */
const scanWindow = 20_000
const followPage = 500

export interface EventLogParts {
  readonly database: Database
  readonly committer: Committer
  readonly clock: Clock
  readonly pollMs: number
}

type EventPlace = Pick<EventRow, 'id' | 'revision' | 'position'>

export class SqliteEventLog implements EventLog {
  readonly #parts: EventLogParts
  readonly #lastRevision: Statement
  readonly #idsFrom: Statement
  readonly #tail: Statement
  readonly #insert: Statement
  readonly #stream: Statement
  readonly #all: Statement
  readonly #dataVersion: Statement
  readonly #filtered = new Map<number, Statement>()

  constructor(parts: EventLogParts) {
    const { database } = parts
    this.#parts = parts
    this.#lastRevision = database.prepare('SELECT max(revision) AS revision FROM events WHERE stream = ?')
    this.#idsFrom = database.prepare(
      'SELECT id, revision, position FROM events WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?',
    )
    this.#tail = database.prepare(tailSql)
    this.#insert = database.prepare(
      `INSERT INTO events (${eventColumns}, namespace, at, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#stream = database.prepare(
      `SELECT ${eventColumns} FROM events WHERE stream = ? AND revision >= ? ORDER BY revision`,
    )
    this.#all = database.prepare(
      `SELECT ${eventColumns} FROM events WHERE position > ? ORDER BY position LIMIT ?`,
    )
    this.#dataVersion = database.prepare('PRAGMA data_version')
  }

  append(stream: string, expected: ExpectedRevision, events: readonly StoredEvent[]): Promise<AppendResult> {
    if (events.length === 0) return Promise.reject(new Error('There is nothing to append.'))
    return this.#parts.committer.submit(() => this.#appendNow(stream, expected, events))
  }

  async readStream(stream: string, from: Revision = 0): Promise<readonly RecordedEvent[]> {
    return reading(() => (this.#stream.all(stream, from) as EventRow[]).map(recorded))
  }

  async readAll(after: Position, max: number, filter?: EventFilter): Promise<EventPage> {
    const page = reading(() => this.#readAllNow(after, max, filter))
    if (filter !== undefined || page.events.length === max) await othersTurn()
    return page
  }

  async head(): Promise<Position> {
    return reading(() => tailOf(this.#tail).position)
  }

  async *follow(after: Position, stop: Stop): AsyncIterable<EventPage> {
    let position = after
    while (!stop.stopped) {
      const version = this.#version()
      const page = reading(() => this.#readAllNow(position, followPage))
      if (page.events.length === 0) {
        await this.#somethingNew(version, stop)
        continue
      }
      position = page.position
      yield page
      if (page.events.length === followPage) await othersTurn()
    }
  }

  #appendNow(stream: string, expected: ExpectedRevision, events: readonly StoredEvent[]): AppendResult {
    const { revision: last } = this.#lastRevision.get(stream) as { revision: number | null }
    const actual = last ?? 'none'
    const first = expected === 'none' ? 0 : expected + 1
    if (actual !== expected) return this.#repeated(stream, first, events) ?? { outcome: 'conflict', actual }
    let { position, chain } = tailOf(this.#tail)
    const rows: EventRow[] = []
    for (const [index, event] of events.entries()) {
      position += 1
      const row = rowOf(event, stream, first + index, position)
      chain = this.#insertNow(row, event.metadata, chain)
      rows.push(row)
    }
    return appendedAt(rows)
  }

  /** The answer of the first time, when exactly these events stand where they would have gone. */
  #repeated(stream: string, first: Revision, events: readonly StoredEvent[]): AppendResult | undefined {
    const there = this.#idsFrom.all(stream, first, events.length) as EventPlace[]
    if (there.length !== events.length) return undefined
    if (!events.every((event, index) => event.id === there[index]?.id)) return undefined
    return appendedAt(there)
  }

  #insertNow(row: EventRow, metadata: EventMetadata, previous: string): string {
    const chain = nextChain(previous, row)
    this.#insert.run(
      row.position,
      row.stream,
      row.revision,
      row.id,
      row.type,
      row.version,
      row.data,
      row.metadata,
      metadata.namespace,
      metadata.at,
      chain,
    )
    return chain
  }

  #readAllNow(after: Position, max: number, filter?: EventFilter): EventPage {
    const rows = filter === undefined ? this.#all.all(after, max) : this.#filter(after, max, filter)
    const events = (rows as EventRow[]).map(recorded)
    const last = events.at(-1)?.position ?? after
    if (filter === undefined || events.length === max) return { events, position: last }
    const head = tailOf(this.#tail).position
    return { events, position: Math.max(after, Math.min(after + Math.max(max, scanWindow), head)) }
  }

  #filter(after: Position, max: number, { streamPrefixes }: EventFilter): unknown[] {
    if (streamPrefixes.length === 0) return []
    const until = after + Math.max(max, scanWindow)
    const bounds = streamPrefixes.flatMap((prefix) => [[...prefix].length, prefix])
    return this.#filterStatement(streamPrefixes.length).all(after, until, ...bounds, max)
  }

  #filterStatement(prefixes: number): Statement {
    const known = this.#filtered.get(prefixes)
    if (known !== undefined) return known
    const match = Array.from({ length: prefixes }, () => 'substr(stream, 1, ?) = ?').join(' OR ')
    const statement = this.#parts.database.prepare(
      `SELECT ${eventColumns} FROM events WHERE position > ? AND position <= ? AND (${match})
       ORDER BY position LIMIT ?`,
    )
    this.#filtered.set(prefixes, statement)
    return statement
  }

  /** Changes when another connection has committed. */
  #version(): unknown {
    return reading(() => (this.#dataVersion.get() as { data_version: number }).data_version)
  }

  /** Resolves at the next commit of this process, when another one has written, or at `stop`. */
  async #somethingNew(version: unknown, stop: Stop): Promise<void> {
    const { committer, clock, pollMs } = this.#parts
    const woken = createStop()
    const forgetCommit = committer.onCommitted(() => woken.stop())
    const forgetStop = stop.onStop(() => woken.stop())
    try {
      while (!woken.stopped && this.#version() === version) await clock.sleep(pollMs, woken)
    } finally {
      forgetCommit()
      forgetStop()
    }
  }
}

import type { RunRecord } from '@almanac/domain'
import type { RunFeed, RunNews } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { Committer } from './committer.js'
import type { Database, Statement } from './database.js'
import { reading } from './faults.js'
import { type RunRow, recordColumns, recordOf, statusOf } from './run-rows.js'

interface NewsRow extends RunRow {
  readonly place: number
  readonly news_state: number
  readonly news_attempt: number
}

/** Rows that one transaction looks at or deletes, so that it never holds up a tick. */
const batch = 2_000

/** What became of runs, as triggers of the file have written it down in the transaction that changed them. */
export class SqliteRunFeed implements RunFeed {
  readonly #committer: Committer
  readonly #statements: {
    readonly [name in 'read' | 'last' | 'want' | 'leave' | 'had' | 'page' | 'old']: Statement
  }
  #isWanted: boolean | undefined

  constructor(database: Database, committer: Committer) {
    this.#committer = committer
    this.#statements = {
      read: database.prepare(
        `SELECT place, run_news.state AS news_state, run_news.attempt AS news_attempt,
           ${recordColumns
             .split(', ')
             .map((column) => (column === 'body' ? 'body' : `runs.${column}`))
             .join(', ')}
         FROM run_news JOIN runs USING (run) JOIN run_commands USING (run)
         WHERE place > ? ORDER BY place LIMIT ?`,
      ),
      last: database.prepare('SELECT coalesce(max(place), 0) AS place FROM run_news'),
      want: database.prepare('INSERT OR IGNORE INTO run_news_wanted (id) VALUES (1)'),
      leave: database.prepare('DELETE FROM run_news_wanted'),
      had: database.prepare(
        `DELETE FROM run_news WHERE place IN (
           SELECT place FROM run_news WHERE place <= ? ORDER BY place LIMIT ${batch})`,
      ),
      page: database.prepare(
        `SELECT max(place) AS place FROM (
           SELECT place FROM run_news WHERE place > ? ORDER BY place LIMIT ${batch})`,
      ),
      // By the run, so that what is left of runs that are forgotten by now goes too.
      old: database.prepare(
        `DELETE FROM run_news WHERE place > ? AND place <= ? AND NOT EXISTS (
           SELECT 1 FROM runs WHERE runs.run = run_news.run AND (finished_at IS NULL OR finished_at >= ?))`,
      ),
    }
  }

  want(isWanted: boolean): void {
    if (isWanted === this.#isWanted) return
    this.#isWanted = isWanted
    const { want, leave } = this.#statements
    void this.#committer
      .submit(() => void (isWanted ? want : leave).run())
      .catch(() => {
        // Asked for again the next time: nobody is told of runs until then.
        this.#isWanted = undefined
      })
  }

  read(after: number, max: number): { readonly news: readonly RunNews[]; readonly place: number } {
    return reading(() => {
      const rows = this.#statements.read.all(after, max) as unknown as readonly NewsRow[]
      const last = rows.at(-1)
      if (last !== undefined) return { news: rows.map(newsOf), place: last.place }
      // What is left are runs that are forgotten by now.
      const { place } = this.#statements.last.get() as { readonly place: number }
      return { news: [], place: Math.max(after, place) }
    })
  }

  onNews(listener: () => void): void {
    this.#committer.onCommitted(() => {
      if (this.#isWanted === true) listener()
    })
  }

  async forget(upTo: number, before: Instant): Promise<void> {
    const { had, page, old } = this.#statements
    for (;;) {
      const { changes } = await this.#committer.submit(() => had.run(upTo))
      if (Number(changes) < batch) break
    }
    // What comes meanwhile is not old, and must not keep this going.
    const { place: end } = reading(() => this.#statements.last.get()) as { readonly place: number }
    for (let after = upTo; after < end; ) {
      const { place: last } = reading(() => page.get(after)) as { readonly place: number | null }
      if (last === null) return
      const from = after
      await this.#committer.submit(() => void old.run(from, last, before))
      after = last
    }
  }
}

function newsOf(row: NewsRow): RunNews {
  const run = { ...recordOf(row), status: statusOf(row.news_state), attempt: row.news_attempt }
  return { place: row.place, run, at: instantOf(run) }
}

/** When it came to its status. */
function instantOf({ status, command, startedAt, finishedAt, notBefore }: RunRecord): Instant {
  if (status === 'queued') return notBefore ?? command.emittedAt
  return (status === 'running' ? startedAt : finishedAt) ?? command.emittedAt
}

import type { RunJson } from '@almanac/protocol'
import { Failure } from '../failure.js'
import { type Page, pageLimit, readPages } from '../http/pages.js'
import { clip, pad, visible, wrap } from '../output/text.js'
import { instantText } from '../output/time.js'
import type { Session } from '../session.js'
import { lateness, type RunQuery, statusStyle } from './run-text.js'

const pollMs = 1000
const retryMs = { first: 500, most: 5000 }
/** Run ids remembered to print each once; far above what one look at the server can answer. */
const remembered = 50_000
/** New runs are looked for in so many pages at most at one look; older ones of a greater burst are left out. */
const maxPages = 50

/** The ids that were printed, the oldest forgotten first. */
class Printed {
  readonly #ids = new Set<string>()

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** True when the id is new. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false
    this.#ids.add(id)
    if (this.#ids.size > remembered) {
      const [oldest] = this.#ids
      if (oldest !== undefined) this.#ids.delete(oldest)
    }
    return true
  }
}

/** New runs of one list, newest scheduled first: pages are read until one has a run that is known. */
const newOf = async (session: Session, query: RunQuery, printed: Printed): Promise<readonly RunJson[]> => {
  const found: RunJson[] = []
  let cursor: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const { body } = await session.server.ask<Page<RunJson>>('/runs', {
      query: { ...query, limit: pageLimit, cursor },
    })
    const fresh = body.items.filter((run) => !printed.has(run.runId))
    found.push(...fresh)
    cursor = body.nextCursor ?? undefined
    if (fresh.length < body.items.length || cursor === undefined) break
  }
  return found
}

/**
 * The list is ordered by scheduled instant, so late runs appear deep in it, below others that are known: those
 * kinds are looked at on their own.
 */
const lateKinds = ['catchUp', 'backfill'] as const

const look = async (session: Session, query: RunQuery, printed: Printed) => {
  const queries =
    query.kind === undefined ? [query, ...lateKinds.map((kind) => ({ ...query, kind }))] : [query]
  const found: RunJson[] = []
  for (const one of queries) found.push(...(await newOf(session, one, printed)))
  return found.sort(
    (a, b) => a.emittedAt.localeCompare(b.emittedAt) || a.scheduledAt.localeCompare(b.scheduledAt),
  )
}

const print = (session: Session, run: RunJson) => {
  if (session.json) return session.line(JSON.stringify(run))
  const { paint, columns } = session.world.out
  const wide = columns >= 100
  const name = Math.min(40, Math.max(20, columns - (wide ? 86 : 50)))
  const cells = [
    paint.cyan(pad(instantText(Date.parse(run.scheduledAt)), 24)),
    statusStyle(paint, run.status)(pad(run.status, 9)),
    paint.bold(pad(clip(visible(run.taskName), name), name)),
    ...(wide
      ? [pad(clip(visible(run.queue), 18), 18), pad(run.kind === 'scheduled' ? '' : run.kind, 8)]
      : []),
    pad(`+${lateness(run)}`, 9),
    ...(wide ? [paint.dim(run.runId.slice(0, 12))] : []),
  ]
  session.line(cells.join('  ').trimEnd())
}

/** The newest `limit` runs that there are, oldest first; everything older counts as printed. */
const begin = async (session: Session, query: RunQuery, printed: Printed, limit: number) => {
  const page = await readPages<RunJson>(session.server, '/runs', query, { limit: Math.max(limit, pageLimit) })
  const late = lateKinds.map((kind) => newOf(session, { ...query, kind: query.kind ?? kind }, printed))
  const older = [...page.items.slice(limit), ...(await Promise.all(late)).flat()]
  const first = page.items.slice(0, limit)
  const shown = new Set(first.map(({ runId }) => runId))
  for (const { runId } of older) if (!shown.has(runId)) printed.add(runId)
  return [...first].reverse()
}

const isAway = (fault: Failure): boolean => fault.exitCode === 3 || (fault.details.status ?? 0) >= 500

/**
 * Prints the last `limit` runs and then each new one once, in the order of emission, until Ctrl-C. A server that
 * goes away is asked again, with a notice; runs of the time between are printed when it is back.
 *
 * A run is new when it is in the newest pages by scheduled instant, or among the newest late ones.
 */
export const followRuns = async (session: Session, query: RunQuery, limit: number): Promise<void> => {
  const { world } = session
  const notice = (text: string) => {
    for (const line of wrap(text, world.err.columns)) world.err.write(`${world.err.paint.yellow(line)}\n`)
  }
  world.claimStop()
  const printed = new Printed()
  let started = false
  let failures = 0
  while (!world.stop.stopped) {
    try {
      // Read whole before anything is printed or remembered: a look that breaks off is done again.
      const runs = started ? await look(session, query, printed) : await begin(session, query, printed, limit)
      if (failures > 0) notice(`${session.server.address.url} is back`)
      for (const run of runs) if (printed.add(run.runId)) print(session, run)
      started = true
      failures = 0
    } catch (fault) {
      // Never reached at all: a wrong address is likelier than a restart, so that is told at once.
      if (!(fault instanceof Failure) || !isAway(fault) || !started) throw fault
      if (failures === 0) notice(`${fault.message} Asking again until it is back.`)
      await world.clock.sleep(Math.min(retryMs.most, retryMs.first * 2 ** failures++), world.stop)
      continue
    }
    await world.clock.sleep(pollMs, world.stop)
  }
}

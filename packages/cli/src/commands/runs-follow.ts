import type { RunJson } from '@almanac/protocol'
import { Failure } from '../failure.js'
import { type Page, pageLimit, readPages } from '../http/pages.js'
import { clip, pad, visible } from '../output/text.js'
import { instantText } from '../output/time.js'
import type { Session } from '../session.js'
import { lateness, type RunQuery, statusStyle } from './runs.js'

const pollMs = 1000
const retryMs = { first: 500, most: 5000 }
/** Run ids remembered to print each once; far above what one look at the server can answer. */
const remembered = 50_000
/** New runs are looked for in so many pages at most at one look; older ones of a greater burst are left out. */
const maxPages = 50

/** The ids that were printed, the oldest forgotten first. */
class Printed {
  readonly #ids = new Set<string>()

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
    const fresh = body.items.filter((run) => printed.add(run.runId))
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
  const name = Math.min(40, Math.max(20, columns - (wide ? 82 : 48)))
  const cells = [
    paint.cyan(pad(instantText(Math.floor(Date.parse(run.scheduledAt) / 1000) * 1000), 20)),
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

/** The newest `limit` runs that there are, and everything older counts as printed. */
const begin = async (session: Session, query: RunQuery, printed: Printed, limit: number) => {
  const page = await readPages<RunJson>(session.server, '/runs', query, { limit: Math.max(limit, pageLimit) })
  for (const run of page.items) printed.add(run.runId)
  for (const kind of lateKinds) await newOf(session, { ...query, kind: query.kind ?? kind }, printed)
  for (const run of page.items.slice(0, limit).reverse()) print(session, run)
}

const isAway = (fault: Failure): boolean => fault.exitCode === 3 || (fault.details.status ?? 0) >= 500
const waitText = (ms: number) => `trying again in ${ms / 1000} s`

/**
 * Prints the last `limit` runs and then each new one once, in the order of emission, until Ctrl-C. A server that
 * goes away is asked again, with a notice; runs of the time between are printed when it is back.
 *
 * A run is new when it is in the newest pages by scheduled instant, or among the newest late ones.
 */
export const followRuns = async (session: Session, query: RunQuery, limit: number): Promise<void> => {
  const { world } = session
  world.claimStop()
  const printed = new Printed()
  let started = false
  let failures = 0
  while (!world.stop.stopped) {
    try {
      if (!started) await begin(session, query, printed, limit)
      else for (const run of await look(session, query, printed)) print(session, run)
      if (failures > 0) world.err.write(`${world.err.paint.green(`${session.server.address.url} is back`)}\n`)
      started = true
      failures = 0
    } catch (fault) {
      // Never reached at all: a wrong address is likelier than a restart, so that is told at once.
      if (!(fault instanceof Failure) || !isAway(fault) || !started) throw fault
      const wait = Math.min(retryMs.most, retryMs.first * 2 ** failures)
      if (failures === 0) world.err.write(`${world.err.paint.yellow(fault.message)} ${waitText(wait)}\n`)
      failures++
      await world.clock.sleep(wait, world.stop)
      continue
    }
    await world.clock.sleep(pollMs, world.stop)
  }
}

import { exitCodes, Failure } from '../failure.js'
import { taskIdOf } from '../http/find.js'
import { progressBar } from '../output/progress.js'
import { counted, visible } from '../output/text.js'
import { instantText } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'
import { wholeOption } from './tasks-list.js'

export interface BackfillOptions extends ServerOptions {
  readonly from: string
  readonly until: string
  readonly max?: string
  readonly newestFirst?: boolean
  readonly rate?: string
  readonly yes?: boolean
  readonly reason?: string
}

interface Preview {
  readonly total: number
  readonly runs: number
  readonly items: readonly {
    readonly at: string
    readonly outcome: string | null
    readonly reason: string | null
    readonly status: string | null
  }[]
}

const knownOf = ({ outcome, reason, status }: Preview['items'][number]): string =>
  outcome === null ? 'nothing is known' : outcome === 'emitted' ? `ran: ${status}` : `skipped: ${reason}`

interface Range {
  readonly from: string
  readonly until: string
  readonly max?: number
  readonly order?: string
}

/** How many runs are asked for at once, and how long until the next ones. */
interface Pace {
  readonly each: number
  readonly everyMs: number
}

const paceOf = (rate: string): Pace => {
  const perMinute = wholeOption('--rate', rate, 60_000)
  const each = Math.ceil(perMinute / 60)
  return { each, everyMs: (each * 60_000) / perMinute }
}

const show = async (session: Session, path: string, range: Range, pace: Pace | undefined): Promise<void> => {
  const { body } = await session.server.ask<Preview>(path, { query: { ...range } })
  if (session.json) return session.document(body)
  session.table(
    [
      { title: 'OCCURRENCE', value: ({ at }) => instantText(Date.parse(at)) },
      { title: 'SO FAR', value: knownOf },
    ],
    body.items,
  )
  if (pace !== undefined) {
    const runs = Math.min(body.total, range.max ?? body.total)
    const minutes = Math.ceil(((runs / pace.each) * pace.everyMs) / 60_000)
    return session.notice(
      `${counted(runs, 'run')} in about ${minutes} min. Nothing was done: add --yes to do it.`,
    )
  }
  const left = body.total > body.runs ? `, ${body.total - body.runs} more are in the range` : ''
  session.notice(`${counted(body.runs, 'run')}${left}. Nothing was done: add --yes to do it.`)
}

/** Asks for the runs bit by bit. Ends early with Ctrl-C, or by a fault: then tells where to go on. */
const paced = async (
  session: Session,
  path: string,
  asked: Range,
  { each, everyMs, reason }: Pace & { readonly reason: string | undefined },
): Promise<number> => {
  const { world, server } = session
  const isNewestFirst = asked.order !== undefined
  let { from, until } = asked
  let done = 0
  let total = Number.POSITIVE_INFINITY
  world.claimStop()
  const bar = await progressBar(world.err, 'runs')
  try {
    while (done < total) {
      if (world.stop.stopped) throw new Failure('Stopped.', exitCodes.stopped, { code: 'stopped' })
      const left = (asked.max ?? Number.POSITIVE_INFINITY) - done
      const part = { ...asked, from, until, max: Math.min(each, left) }
      const { body } = await server.ask<Preview>(path, { query: part })
      total = Math.min(total, done + Math.min(body.total, left))
      const instants = body.items.map(({ at }) => Date.parse(at))
      if (instants.length === 0) break
      const [first, last] = [Math.min(...instants), Math.max(...instants)]
      const bounds = { from: new Date(first).toISOString(), until: new Date(last).toISOString() }
      const why = reason === undefined ? {} : { reason }
      await server.ask(path, { method: 'POST', body: { ...part, ...bounds, ...why } })
      done += instants.length
      bar.at(done, total)
      if (isNewestFirst) until = new Date(first - 1).toISOString()
      else from = new Date(last + 1).toISOString()
      if (done < total) await world.clock.sleep(everyMs, world.stop)
    }
    return done
  } finally {
    bar.end()
    if (done < total && done > 0) {
      session.notice(`${counted(done, 'run')} asked for. To go on: --from ${from} --until ${until}`)
    }
  }
}

/** Runs past occurrences again, or for the first time: shows which, and with --yes does it. */
export const backfillTask = async (world: World, name: string, options: BackfillOptions): Promise<void> => {
  const session = new Session(world, options)
  const iso = (option: string, text: string) => new Date(session.instant(option, text)).toISOString()
  const { rate, reason, max } = options
  const pace = rate === undefined ? undefined : paceOf(rate)
  const range: Range = {
    from: iso('--from', options.from),
    until: iso('--until', options.until),
    ...(max === undefined ? {} : { max: wholeOption('--max', max, pace === undefined ? 1_000 : 1_000_000) }),
    ...(options.newestFirst === true ? { order: 'newestFirst' } : {}),
  }
  const path = `/tasks/${await taskIdOf(session.server, name)}/backfill`
  if (options.yes !== true) {
    const shown = range.max === undefined ? range : { ...range, max: Math.min(1_000, range.max) }
    return show(session, path, shown, pace)
  }
  if (pace !== undefined) {
    const runs = await paced(session, path, range, { ...pace, reason })
    if (session.json) return session.document({ runs })
    return session.line(`${visible(name)}: ${counted(runs, 'run')} asked for`)
  }
  const body = { ...range, ...(reason === undefined ? {} : { reason }) }
  const { body: task } = await session.server.ask<{ readonly name: string }>(path, { method: 'POST', body })
  if (session.json) return session.document(task)
  session.line(`${visible(task.name)}: its runs from ${range.from} to ${range.until} are asked for`)
}

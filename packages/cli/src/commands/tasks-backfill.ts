import { taskIdOf } from '../http/find.js'
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

/** Runs past occurrences again, or for the first time: shows which, and with --yes does it. */
export const backfillTask = async (world: World, name: string, options: BackfillOptions): Promise<void> => {
  const session = new Session(world, options)
  const iso = (option: string, text: string) => new Date(session.instant(option, text)).toISOString()
  const range = {
    from: iso('--from', options.from),
    until: iso('--until', options.until),
    ...(options.max === undefined ? {} : { max: wholeOption('--max', options.max, 1_000) }),
    ...(options.newestFirst === true ? { order: 'newestFirst' } : {}),
  }
  const path = `/tasks/${await taskIdOf(session.server, name)}/backfill`
  if (options.yes !== true) {
    const { body } = await session.server.ask<Preview>(path, { query: range })
    if (session.json) return session.document(body)
    session.table(
      [
        { title: 'OCCURRENCE', value: ({ at }) => instantText(Date.parse(at)) },
        { title: 'SO FAR', value: knownOf },
      ],
      body.items,
    )
    const left = body.total > body.runs ? `, ${body.total - body.runs} more are in the range` : ''
    return session.notice(`${counted(body.runs, 'run')}${left}. Nothing was done: add --yes to do it.`)
  }
  const { reason } = options
  const body = { ...range, ...(reason === undefined ? {} : { reason }) }
  const { body: task } = await session.server.ask<{ readonly name: string }>(path, { method: 'POST', body })
  if (session.json) return session.document(task)
  session.line(`${visible(task.name)}: its runs from ${range.from} to ${range.until} are asked for`)
}

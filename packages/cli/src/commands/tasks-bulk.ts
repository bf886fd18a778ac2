import { usage } from '../failure.js'
import { counted, visible } from '../output/text.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'

export const bulkVerbs = ['enable', 'disable', 'trigger', 'delete', 'patch'] as const

export interface BulkOptions extends ServerOptions {
  readonly label?: readonly string[]
  readonly queue?: string
  readonly task?: string
  readonly query?: string
  readonly scheduleKind?: string
  readonly all?: boolean
  readonly set?: string
  readonly until?: string
  readonly reason?: string
  readonly yes?: boolean
}

interface Answer {
  readonly total: number
  readonly sample: readonly { readonly id: string; readonly name: string }[]
  readonly token: string | null
  readonly done: {
    readonly succeeded: number
    readonly failed: number
    readonly correlationId: string
    readonly problems: readonly {
      readonly name: string
      readonly problem: { readonly code: string; readonly detail?: string }
    }[]
  } | null
}

const filterOf = ({ label, queue, task, query, scheduleKind, all }: BulkOptions): object => {
  const filter = Object.fromEntries(
    Object.entries({ label, queue, task, q: query, scheduleKind }).filter(([, value]) => value !== undefined),
  )
  if (Object.keys(filter).length === 0 && all !== true) {
    throw usage('Which tasks? Give --label, --queue, --task, -q or --schedule-kind, or --all for every one.')
  }
  return filter
}

const changesOf = (verb: string, set: string | undefined): object => {
  if (verb !== 'patch') return {}
  if (set === undefined) throw usage('--set is needed: a merge patch such as {"queue":"slow"}')
  try {
    return { changes: JSON.parse(set) }
  } catch {
    throw usage(`--set is not JSON: ${set}`)
  }
}

/** One operation on all tasks that match: shows them, and with --yes does it to exactly these. */
export const bulkTasks = async (world: World, verb: string, options: BulkOptions): Promise<void> => {
  const session = new Session(world, options)
  if (!(bulkVerbs as readonly string[]).includes(verb)) {
    throw usage(`"${verb}" is none of ${bulkVerbs.join(', ')}.`)
  }
  const { reason, until } = options
  const body = {
    filter: filterOf(options),
    op: verb,
    ...changesOf(verb, options.set),
    ...(until === undefined ? {} : { until: new Date(session.instant('--until', until)).toISOString() }),
    ...(reason === undefined ? {} : { reason }),
  }
  const ask = async (token?: string) => {
    const asked = {
      method: 'POST',
      body: token === undefined ? body : { ...body, token },
      timeoutMs: 600_000,
    } as const
    return (await session.server.ask<Answer>('/tasks/bulk-query', asked)).body
  }
  const preview = await ask()
  if (options.yes !== true || preview.token === null || preview.total === 0) {
    if (session.json) return session.document(preview)
    for (const { name } of preview.sample) session.line(visible(name))
    const more = preview.total - preview.sample.length
    if (more > 0) session.line(`and ${more} more`)
    session.notice(
      `${counted(preview.total, 'task')} would be changed by ${verb}. Nothing was done: add --yes to do it.`,
    )
    return
  }
  const { done } = await ask(preview.token)
  if (session.json || done === null) return session.document(done)
  for (const { name, problem } of done.problems) {
    session.line(`${visible(name)}: ${problem.code} ${visible(problem.detail ?? '')}`)
  }
  session.line(`${verb}: ${done.succeeded} done, ${done.failed} refused`)
  session.notice(`To take it back: almanac history undo ${done.correlationId}`)
}

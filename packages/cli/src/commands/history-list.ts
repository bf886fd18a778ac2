import type { EventJson } from '@almanac/protocol'
import { taskIdOf } from '../http/find.js'
import { counted, visible } from '../output/text.js'
import { instantText } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'

export interface HistoryListOptions extends ServerOptions {
  readonly actor?: string
  readonly kind?: string
  readonly task?: string
  readonly from?: string
  readonly to?: string
  readonly limit?: string
}

interface AuditPage {
  readonly items: readonly EventJson[]
  readonly nextCursor: string | null
}

const mostPages = 1_000

/** Who changed what in a namespace, oldest first. */
export const listHistory = async (world: World, options: HistoryListOptions): Promise<void> => {
  const session = new Session(world, options)
  const { actor, kind, limit = '1000' } = options
  const most = Number(limit)
  const query = {
    actor,
    kind,
    task: options.task === undefined ? undefined : await taskIdOf(session.server, options.task),
    from: new Date(session.instant('--from', options.from ?? '-24h')).toISOString(),
    to: options.to === undefined ? undefined : new Date(session.instant('--to', options.to)).toISOString(),
  }
  const items: EventJson[] = []
  let cursor: string | null = null
  // A page may be empty although more follow.
  for (let pages = 0; pages < mostPages && items.length < most; pages++) {
    const { body }: { body: AuditPage } = await session.server.ask<AuditPage>('/history', {
      query: { ...query, limit: Math.min(200, most - items.length), cursor: cursor ?? undefined },
    })
    items.push(...body.items)
    cursor = body.nextCursor
    if (cursor === null) break
  }
  if (session.json) return session.document({ items, nextCursor: cursor })
  const { dim } = world.out.paint
  session.table(
    [
      { title: 'WHEN', value: ({ at }: EventJson) => instantText(Date.parse(at)) },
      { title: 'WHAT', value: ({ text }: EventJson) => visible(text), min: 30 },
      { title: 'KIND', value: ({ subject }: EventJson) => subject.kind, drop: 2 },
      { title: 'NAME', value: ({ subject }: EventJson) => visible(subject.name ?? subject.id), min: 10 },
      {
        title: 'REVISION',
        value: ({ revision }: EventJson) => `${revision}`,
        align: 'right',
        drop: 1,
        style: dim,
      },
    ],
    items,
  )
  session.notice(counted(items.length, 'change') + (cursor === null ? '' : '; there are more, see --limit'))
}

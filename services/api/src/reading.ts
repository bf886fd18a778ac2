import { createHash } from 'node:crypto'
import type { Position } from '@almanac/domain'
import type { Listed, Page } from '@almanac/engine'
import type { AsOf } from '@almanac/protocol'
import type { Host } from './host.js'
import { ApiProblem } from './problem.js'

/** How long a read waits for the read models, and a command for its own effect to be visible. */
export const waitMs = 2_000

interface ReadQuery {
  readonly minPosition?: number
  readonly asOf?: AsOf
}

async function reach(host: Host, position: Position): Promise<void> {
  if (position <= host.app.queries.position()) return
  if (!(await host.app.queries.waitFor(position, waitMs))) throw new ApiProblem('position_not_reached')
}

/** Waits for `minPosition`, and resolves `asOf`. Undefined: read what is there now. */
export async function readPosition(host: Host, query: ReadQuery): Promise<Position | undefined> {
  if (query.minPosition !== undefined) await reach(host, query.minPosition)
  const { asOf } = query
  if (asOf === undefined) return undefined
  if ('position' in asOf) {
    await reach(host, asOf.position)
    return asOf.position
  }
  if (asOf.instant > host.clock.now()) {
    throw new ApiProblem('invalid', 'Nobody knows yet how it will be then.', [
      { path: 'asOf', code: 'in_the_future', message: 'must not lie in the future' },
    ])
  }
  return host.app.queries.resolveAsOf({ instant: asOf.instant })
}

const defaultLimit = 100
const maxLimit = 200

/** Binds a cursor to the list it belongs to, so that it cannot be used with another filter or namespace. */
const sealOf = (list: string, inner: string): string =>
  createHash('sha256').update(`${list}\u0000${inner}`).digest('base64url').slice(0, 10)

export interface PageRequest {
  readonly page: Page
  /** What the list is of: namespace, kind, filters. */
  readonly list: string
}

export function pageOf(
  query: { readonly limit?: number; readonly cursor?: string },
  list: unknown,
): PageRequest {
  const name = JSON.stringify(list)
  const limit = Math.min(query.limit ?? defaultLimit, maxLimit)
  if (query.cursor === undefined) return { page: { limit }, list: name }
  const [seal = '', coded = ''] = query.cursor.split('.')
  const cursor = Buffer.from(coded, 'base64url').toString()
  if (cursor === '' || seal !== sealOf(name, cursor)) throw new ApiProblem('invalid_cursor')
  return { page: { limit, cursor }, list: name }
}

export function listJson<T, J>(listed: Listed<T>, { list }: PageRequest, json: (item: T) => J) {
  const { nextCursor } = listed
  return {
    items: listed.items.map(json),
    nextCursor:
      nextCursor === null
        ? null
        : `${sealOf(list, nextCursor)}.${Buffer.from(nextCursor).toString('base64url')}`,
    total: listed.total,
  }
}

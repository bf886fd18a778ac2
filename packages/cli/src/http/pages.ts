import type { Question, Server } from './server.js'

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
  readonly total: number
}

/** The most items that the server gives at once. */
export const pageLimit = 200

/** One page, with at most `limit` items in all; follows the cursor when `limit` is beyond one page. */
export const readPages = async <T>(
  server: Server,
  path: string,
  query: NonNullable<Question['query']>,
  options: { limit: number; progress?: (done: number, total: number) => void },
): Promise<Page<T>> => {
  const items: T[] = []
  let cursor: string | undefined
  for (;;) {
    const limit = Math.min(pageLimit, options.limit - items.length)
    const { body } = await server.ask<Page<T>>(path, { query: { ...query, limit, cursor } })
    items.push(...body.items)
    options.progress?.(items.length, Math.min(body.total, options.limit))
    cursor = body.nextCursor ?? undefined
    if (cursor === undefined || items.length >= options.limit) {
      return { items, nextCursor: body.nextCursor, total: body.total }
    }
  }
}

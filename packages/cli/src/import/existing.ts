import type { TaskJson } from '@almanac/protocol'
import { type Page, readPages } from '../http/pages.js'
import type { Server } from '../http/server.js'

/** Up to so many names are asked one by one; for more, all tasks of the namespace are read. */
const oneByOne = 100

/** Those of `names` that tasks of the namespace have. */
export const existingNames = async (
  server: Server,
  names: readonly string[],
  progress: (done: number, total: number) => void,
): Promise<ReadonlySet<string>> => {
  const wanted = new Set(names.map((name) => name.normalize('NFC')))
  const found = new Set<string>()
  if (wanted.size > oneByOne) {
    const all = await readPages<TaskJson>(server, '/tasks', {}, { limit: Number.POSITIVE_INFINITY, progress })
    for (const { name } of all.items) if (wanted.has(name)) found.add(name)
    return found
  }
  for (const name of wanted) {
    const { body } = await server.ask<Page<TaskJson>>('/tasks', { query: { name, limit: 1 } })
    if (body.items.length > 0) found.add(name)
  }
  return found
}

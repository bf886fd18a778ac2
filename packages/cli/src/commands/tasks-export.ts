import { type ServerOptions, Session } from '../session.js'
import { readServer } from '../simulate/input.js'
import type { World } from '../world.js'

export interface ExportOptions extends ServerOptions {
  readonly lines?: boolean
  readonly asOf?: string
}

/** All tasks of a namespace with the shared schedules and calendars: one JSON document, or lines to import again. */
export const exportTasks = async (world: World, options: ExportOptions): Promise<void> => {
  const session = new Session(world, options)
  if (options.lines !== true) return session.document(await readServer(session))
  const { asOf } = options
  for await (const line of session.server.lines('/export', { query: { asOf } })) world.out.write(`${line}\n`)
}

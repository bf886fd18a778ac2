import { type ServerOptions, Session } from '../session.js'
import { readServer } from '../simulate/input.js'
import type { World } from '../world.js'

/** All tasks of a namespace with the shared schedules and calendars, as one JSON document. */
export const exportTasks = async (world: World, options: ServerOptions): Promise<void> => {
  const session = new Session(world, options)
  session.document(await readServer(session))
}

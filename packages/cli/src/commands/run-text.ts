import type { RunJson } from '@almanac/protocol'
import { duration } from '../output/time.js'
import type { Paint } from '../world.js'

/** Filters of `GET /runs`. */
export type RunQuery = Readonly<Record<string, string | undefined>>

export const statusStyle = (paint: Paint, status: string): ((text: string) => string) => {
  if (status === 'succeeded') return paint.green
  if (status === 'failed') return paint.red
  if (status === 'running') return paint.cyan
  return status === 'queued' ? paint.yellow : paint.dim
}

/** How long after its instant the run was put into the queue. */
export const lateness = (run: RunJson): string =>
  duration(Math.max(0, Date.parse(run.emittedAt) - Date.parse(run.scheduledAt)))

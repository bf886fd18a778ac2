import { createStop } from '@almanac/engine'
import type { TelemetryConfig } from './config.js'
import type { TelemetryWorld } from './running.js'

/** Waits for a shutdown, which sends what is left, until the deadline: a dead collector must not hold a node. */
export async function ended(
  what: string,
  shutdown: Promise<void>,
  config: TelemetryConfig,
  { clock, onFault }: TelemetryWorld,
): Promise<void> {
  const done = createStop()
  const settled = shutdown.then(
    () => done.stop(),
    (fault: unknown) => {
      onFault(`sending the last ${what}`, fault)
      done.stop()
    },
  )
  await Promise.race([settled, clock.sleep(config.flushDeadlineMs, done)])
  if (!done.stopped)
    onFault(`sending the last ${what}`, new Error(`not done within ${config.flushDeadlineMs} ms`))
}

import type { Almanac, Leased } from './client.js'
import { isCode, isFinal } from './errors.js'
import { platform } from './platform.js'
import type { World } from './transport.js'

export interface WorkerOptions {
  /** How many runs at once. @default 1 */
  readonly concurrency?: number
  /** How long a run may go without a sign of life. Seconds. @default 30 */
  readonly leaseSeconds?: number
  /** Shown in the history of runs. */
  readonly name?: string
  /** Takes no more runs, and ends when those under way are done. */
  readonly signal?: AbortSignal
  /** Told when a run could not be reported, or the server was out of reach. */
  readonly onError?: (error: unknown) => void
}

/**
 * Takes runs from a queue and works on them until the signal: `handle` resolves when a run is done, and rejects when it
 * failed. A run that takes long is kept by heartbeats. Runs are handed out at least once: make `handle` idempotent by
 * `runId`; its signal fires when the run is no longer ours, or was cancelled. When the server refuses to hand out runs
 * (a wrong key, or workers that take them from Kafka), those under way are done, and it rejects with `AlmanacError`.
 */
export async function work(
  almanac: Almanac,
  queue: string,
  handle: (run: Leased, signal: AbortSignal) => Promise<unknown>,
  options: WorkerOptions = {},
  world: Pick<World, 'sleep'> = platform,
): Promise<void> {
  const { concurrency = 1, leaseSeconds = 30, name, signal, onError = () => {} } = options
  const refused = new AbortController()
  const ends = signal === undefined ? refused.signal : AbortSignal.any([signal, refused.signal])
  const lane = async () => {
    while (!ends.aborted) {
      try {
        const body = { max: 1, waitMs: 10_000, leaseSeconds, ...(name === undefined ? {} : { worker: name }) }
        const [run] = await almanac.lease(queue, body, ends)
        if (run !== undefined) await one(almanac, run, handle, { leaseSeconds, onError }, world)
      } catch (error) {
        if (ends.aborted) return
        if (isFinal(error)) return refused.abort(error)
        onError(error)
        await world.sleep(1_000, undefined)
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  refused.signal.throwIfAborted()
}

async function one(
  almanac: Almanac,
  run: Leased,
  handle: (run: Leased, signal: AbortSignal) => Promise<unknown>,
  { leaseSeconds, onError }: { readonly leaseSeconds: number; readonly onError: (error: unknown) => void },
  world: Pick<World, 'sleep'>,
): Promise<void> {
  const over = new AbortController()
  const lost = new AbortController()
  const beating = beat(almanac, run, leaseSeconds, { over: over.signal, lost, world })
  let failure: string | undefined
  try {
    await handle(run, lost.signal)
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
  over.abort()
  await beating
  if (lost.signal.aborted) return
  try {
    await (failure === undefined ? almanac.ack(run) : almanac.fail(run, failure || 'failed'))
  } catch (error) {
    if (!isCode(error, 'lease_lost')) onError(error)
  }
}

/** Three signs of life in the time of a lease. */
async function beat(
  almanac: Almanac,
  { runId, leaseToken }: Leased,
  leaseSeconds: number,
  {
    over,
    lost,
    world,
  }: { readonly over: AbortSignal; readonly lost: AbortController; readonly world: Pick<World, 'sleep'> },
): Promise<void> {
  const name = 'POST /v1/namespaces/{namespace}/runs/{id}/heartbeat'
  while (!over.aborted) {
    try {
      await world.sleep((leaseSeconds * 1_000) / 3, over)
      const answer = await almanac.call(name, {
        path: { id: runId },
        body: { leaseToken, leaseSeconds },
        signal: over,
      })
      if (answer.cancelRequested) return lost.abort(new Error('the run was cancelled'))
    } catch (error) {
      if (over.aborted) return
      if (isCode(error, 'lease_lost', 'not_found')) return lost.abort(error)
    }
  }
}

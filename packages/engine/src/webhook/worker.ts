import { isDelivered, type Webhook } from '@almanac/domain'
import type { RunIntake } from '../intake/types.js'
import type { Stop } from '../ports/clock.js'
import { PortFault } from '../ports/faults.js'
import type { LeasedRun } from '../ports/run-store.js'
import { Signal } from '../signal.js'
import type { ServingParts } from './deliverer.js'
import { commandMessage } from './messages.js'
import { sendIf } from './sending.js'

/** Runs that one receiver has at a time. */
const atOnce = 4
const waitMs = 10_000
const retryMs = 1_000
const idleMs = 30_000
/** A run that waits longer than this for its receiver’s host is kept by a heartbeat, if it is still to be had. */
const freshMs = 1_000
/** Before a run that failed is handed out again: doubled with each attempt, up to a minute. */
const longestPauseMs = 60_000

/**
 * Takes the runs of a queue and posts them. 200 and 204 mean that a run is done, 202 that its receiver goes on with it
 * and reports by its lease token; anything else, and silence, that the attempt has failed.
 */
export class RunPoster {
  private readonly parts: Omit<ServingParts, 'store' | 'saveEveryMs' | 'feed' | 'views' | 'log'>
  private readonly intake: RunIntake
  private readonly webhook: () => Webhook | undefined
  private readonly changed = new Signal()

  constructor(
    parts: Omit<ServingParts, 'store' | 'saveEveryMs' | 'feed' | 'views' | 'log'>,
    intake: RunIntake,
    webhook: () => Webhook | undefined,
  ) {
    this.parts = parts
    this.intake = intake
    this.webhook = webhook
  }

  /** The webhook may have changed. */
  wake(): void {
    this.changed.notify()
  }

  async run(stop: Stop): Promise<void> {
    await Promise.all(Array.from({ length: atOnce }, () => this.lane(stop)))
  }

  private async lane(stop: Stop): Promise<void> {
    const { clock, onFault } = this.parts
    while (!stop.stopped) {
      const webhook = this.webhook()
      const { runs = null, enabled = false } = webhook?.spec ?? {}
      if (webhook === undefined || runs === null || !enabled) {
        await this.changed.wait(clock, idleMs, stop)
        continue
      }
      try {
        const leaseMs = runs.leaseSeconds * 1_000
        const [leased] = await this.intake.lease({
          namespace: webhook.namespace,
          queue: runs.queue,
          max: 1,
          waitMs,
          worker: `webhook ${webhook.spec.name}`,
          leaseMs,
        })
        if (leased !== undefined) await this.post(webhook, leased, leaseMs)
      } catch (fault) {
        if (!(fault instanceof PortFault)) throw fault
        onFault(`posting the runs of ${runs.queue}`, fault)
        await clock.sleep(retryMs, stop)
      }
    }
  }

  private async post(webhook: Webhook, leased: LeasedRun, leaseMs: number): Promise<void> {
    const { clock } = this.parts
    const { namespace } = webhook
    const { run, leaseToken } = leased
    const { runId } = run.command
    const leasedAt = clock.elapsed()
    const isOurs = async () => {
      if (clock.elapsed() - leasedAt < freshMs) return true
      return (await this.intake.heartbeat(namespace, runId, leaseToken, leaseMs)).reply === 'ok'
    }
    const answer = await sendIf(this.parts, webhook, commandMessage(leased), isOurs)
    if (answer === undefined || answer.status === 202) return
    if (isDelivered(answer)) {
      await this.intake.ack(namespace, runId, leaseToken)
      return
    }
    const pause = Math.min(1_000 * 2 ** Math.min(run.attempt - 1, 20), longestPauseMs)
    const retryInMs = Math.max(pause, answer.retryAfterMs ?? 0)
    await this.intake.fail(
      namespace,
      runId,
      leaseToken,
      answer.error ?? `answered ${answer.status}`,
      retryInMs,
    )
  }
}

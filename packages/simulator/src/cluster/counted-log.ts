import type { CommitOutcome, DispatchLog } from '@almanac/engine'

/** A dispatch log that tells how each commit ended. */
export const countedLog = (log: DispatchLog, onOutcome: (outcome: CommitOutcome) => void): DispatchLog => ({
  async claim(partition, termAbove) {
    const claim = await log.claim(partition, termAbove)
    return {
      partition: claim.partition,
      term: claim.term,
      checkpoint: claim.checkpoint,
      async commit(tick) {
        const outcome = await claim.commit(tick)
        onOutcome(outcome)
        return outcome
      },
      release: () => claim.release(),
    }
  },
  seen: (partition) => log.seen(partition),
  owner: (partition) => log.owner(partition),
  probe: () => log.probe(),
})

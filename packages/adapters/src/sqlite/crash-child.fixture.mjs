/**
 * A process that is going to be killed: writes events, ticks, leases and acks as fast as it can, and tells on
 * standard output, one line each, what has been acknowledged. It goes on where an earlier one was killed.
 */
import { writeSync } from 'node:fs'
import { openStore } from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import { eventHash } from '@almanac/domain'

const folder = process.argv[2]
const lives = Number(process.argv[3])
const acknowledged = (...parts) => writeSync(1, `${parts.join(' ')}\n`)

const store = openStore({
  folder,
  clock: systemClock(),
  random: systemRandom(),
  onFatal: (error) => {
    throw error
  },
})

const metadata = { namespace: 'default', actor: 'child', at: 1, correlationId: 'c' }

const appendForEver = async (stream) => {
  const known = await store.eventLog.readStream(stream)
  let revision = known.length - 1
  let previous = known.at(-1)
  for (;;) {
    const event = {
      id: `${stream}-${revision + 1}`,
      type: 'Happened',
      version: 1,
      data: { lives, filler: 'x'.repeat(200) },
      metadata: { ...metadata, previousHash: previous === undefined ? '' : eventHash(previous) },
    }
    const result = await store.eventLog.append(stream, revision < 0 ? 'none' : revision, [event])
    if (result.outcome !== 'appended') throw new Error(`Conflict on ${stream}`)
    revision = result.revision
    previous = event
    acknowledged('event', result.position, event.id)
  }
}

const runOf = (partition, seq, n) => ({
  runId: `run-${partition}-${seq}-${n}`,
  namespace: 'default',
  taskId: `task-${partition}-${n}`,
  taskName: 'name',
  task: 'task',
  args: [],
  kwargs: {},
  headers: {},
  queue: 'default',
  exchange: null,
  routingKey: null,
  priority: null,
  scheduledAt: seq,
  emittedAt: seq,
  expiresAt: null,
  kind: 'scheduled',
  overlap: 'allow',
  maxAttempts: 1,
  taskRevision: 0,
  partition,
  seq,
})

const tickForEver = async (partition) => {
  const claim = await store.dispatchLog.claim(partition)
  let seq = claim.checkpoint?.seq ?? 0
  for (;;) {
    seq += 1
    const runs = Array.from({ length: 5 }, (_, n) => runOf(partition, seq, n))
    const next = {
      seq,
      term: claim.term,
      cursor: { at: seq, taskId: '' },
      position: 0,
      evaluatedAt: seq,
      more: false,
      engineVersion: '1',
      tzVersion: '1',
      runs: 5,
      skipped: 0,
      digest: '',
      previous: '',
    }
    const outcome = await claim.commit({ runs, skips: [], resets: [], next })
    if (outcome !== 'committed') throw new Error(`Partition ${partition}: ${outcome}`)
    acknowledged('tick', partition, seq)
  }
}

const workForEver = async () => {
  for (;;) {
    const request = { namespace: 'default', queue: 'default', max: 5, worker: 'w', leaseMs: 1e9, now: 1 }
    for (const { run, leaseToken } of await store.runStore.lease(request)) {
      const reply = await store.runStore.ack(run.command.runId, leaseToken, 2)
      if (reply !== 'ok') throw new Error(`Ack of ${run.command.runId}: ${reply}`)
      acknowledged('done', run.command.runId)
    }
  }
}

await Promise.all([
  ...['a', 'b', 'c', 'd'].map((name) => appendForEver(`stream-${name}`)),
  ...[0, 1, 2].map(tickForEver),
  workForEver(),
])

import { dispatchTopics } from '@almanac/adapters/transactions'
import type { Cluster } from '../cluster/cluster.js'
import { topicPrefix } from '../cluster/node-host.js'
import type { FetchAnswer } from '../kafka/model.js'
import type { CallOptions } from '../world/types.js'

/** Requests of nodes, by the service that answers them. */
export const requests = {
  leases: ['renew', 'leave', 'acquire', 'release'],
  log: ['head', 'follow', 'append', 'readAll', 'readStream'],
  kafka: ['tail', 'feed', 'ListOffsets', 'InitProducerId', 'AddPartitionsToTxn', 'Produce', 'EndTxn'],
} as const
type Request = (typeof requests)[keyof typeof requests][number]

/**
 * What is counted: requests, and what is in some of the answers. `refused`: leases that somebody else had; `members`:
 * members in answers to renewals, `memberBytes`: as JSON; `tailRecords`, `tailBytes`: records of the topic of
 * checkpoints in answers to fetches, and the length of their values.
 */
export type Counted = Request | 'refused' | 'members' | 'memberBytes' | 'tailRecords' | 'tailBytes'

/** When a holder gave a partition back. */
export interface GivenBack {
  readonly partition: number
  readonly nodeId: string
  readonly at: number
}

const checkpoints = dispatchTopics(topicPrefix).checkpoints
const tailConnection = `reader ${checkpoints}`

/** Counts what all nodes of a cluster ask of its services. */
export class Meter {
  readonly givenBack: GivenBack[] = []
  private readonly counts = new Map<string, number>()
  private readonly cluster: Cluster

  /** Before any node is started. */
  constructor(cluster: Cluster) {
    this.cluster = cluster
    for (const host of cluster.hosts) {
      host.aimAt((options) => {
        this.add(requestOf(options))
        return undefined
      })
    }
    this.watchLeases()
    this.watchTail()
  }

  /** All counts until now; what was never counted is not in it. */
  read(): ReadonlyMap<string, number> {
    return new Map(this.counts)
  }

  private add(what: string, count = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + count)
  }

  private watchLeases(): void {
    const { leases, world } = this.cluster
    const acquire = leases.acquire.bind(leases)
    leases.acquire = (...asked) => {
      const answer = acquire(...asked)
      if (answer === 'refused') this.add('refused')
      return answer
    }
    const release = leases.release.bind(leases)
    leases.release = (partition, holder) => {
      const [nodeId = ''] = holder.split('/')
      this.givenBack.push({ partition, nodeId, at: world.now })
      return release(partition, holder)
    }
    const renew = leases.renew.bind(leases)
    leases.renew = (...asked) => {
      const answer = renew(...asked)
      if (!(answer instanceof Promise)) {
        this.add('members', answer.members.length)
        this.add('memberBytes', JSON.stringify(answer.members).length)
      }
      return answer
    }
  }

  private watchTail(): void {
    const { kafka } = this.cluster
    const fetch = kafka.fetch.bind(kafka)
    const count = (answer: FetchAnswer): void => {
      if (!answer.ok) return
      for (const { records } of answer.value) {
        this.add('tailRecords', records.length)
        for (const { value } of records) this.add('tailBytes', value.length)
      }
    }
    kafka.fetch = (request) => {
      const answer = fetch(request)
      if (request.topic !== checkpoints) return answer
      if (answer instanceof Promise) void answer.then(count)
      else count(answer)
      return answer
    }
  }
}

function requestOf({ label, connection }: CallOptions): string {
  if (label !== 'Fetch') return label
  return connection === tailConnection ? 'tail' : 'feed'
}

/** What was counted from one reading to a later one. */
export function between(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): (what: Counted) => number {
  return (what) => (after.get(what) ?? 0) - (before.get(what) ?? 0)
}

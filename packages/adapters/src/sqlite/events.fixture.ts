import { eventHash, type StoredEvent } from '@almanac/domain'
import type { EventLog } from '@almanac/engine'

export const eventOf = (id: string, previous?: StoredEvent, data: unknown = { id }): StoredEvent => ({
  id,
  type: 'Happened',
  version: 1,
  data,
  metadata: {
    namespace: 'default',
    actor: 'tester',
    at: 1_700_000_000_000,
    correlationId: 'c',
    previousHash: previous === undefined ? '' : eventHash(previous),
  },
})

/** Appends `count` events to a stream, each in a commit of its own, hashes and all. */
export const appendOneByOne = async (log: EventLog, stream: string, count: number): Promise<void> => {
  const known = await log.readStream(stream)
  let previous: StoredEvent | undefined = known.at(-1)
  let revision = known.length - 1
  for (let n = 0; n < count; n++) {
    const event = eventOf(`${stream}-${revision + 1}`, previous)
    const result = await log.append(stream, revision < 0 ? 'none' : revision, [event])
    if (result.outcome !== 'appended') throw new Error(`The append to ${stream} conflicted.`)
    revision = result.revision
    previous = event
  }
}

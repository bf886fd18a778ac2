import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { newId } from '../world.js'
import { filterOf, readBatch } from './filter.js'
import { type EventShape, eventMessage } from './messages.js'
import { invalid } from './refusals.js'
import type { ServiceParts } from './service.js'
import { positionOf, type Sink } from './sink.js'

const pageSize = 512

const checkpointMessage = (position: number, { offset }: EventShape): Streams.ReadResp => {
  const wire = `${BigInt(position) + offset}`
  const checkpoint = new streams.ReadResp.Checkpoint()
  checkpoint.setCommitPosition(wire)
  checkpoint.setPreparePosition(wire)
  return new streams.ReadResp().setCheckpoint(checkpoint)
}

/**
 * A subscription to $all: what there is, `CaughtUp`, then what comes. Its start is exclusive in the server's way: the
 * first event at or after the given position is left out, even if it is another one than the reader knows, because
 * that one has been scavenged.
 */
export async function subscribe(
  { log, faults }: ServiceParts,
  options: Streams.ReadReq.Options,
  shape: EventShape,
  sink: Sink,
): Promise<void> {
  const filterOptions = options.getFilter()
  const filter = filterOptions === undefined ? undefined : filterOf(filterOptions)
  if (filter !== undefined && filter.checkpointInterval === 0)
    throw invalid('checkpointIntervalMultiplier is 0')
  const all = options.getAll()
  const given = all?.hasEnd() === true ? log.last : positionOf(all?.getPosition(), shape)
  let next = given === undefined ? 0 : (log.forwards(given, faults.limit, 1)[0]?.position ?? given - 1) + 1
  const confirmation = new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(newId())
  await sink.write(new streams.ReadResp().setConfirmation(confirmation))
  const news = new News(log, sink)
  const { silences } = faults
  let considered = 0
  let isCaughtUp = false
  while (!sink.isGone) {
    const page = faults.silences === silences ? log.forwards(next, faults.limit, pageSize) : []
    for (const record of page) {
      if (sink.isGone) break
      await faults.gate()
      next = record.position + 1
      considered += 1
      const passes = filter === undefined || filter.passes(record)
      if (passes) await sink.write(eventMessage(record, shape))
      // While it catches up the server makes checkpoints only at the end of a batch that it has read.
      const isBatchEnd = isCaughtUp || considered % readBatch === 0
      if (filter !== undefined && considered >= filter.checkpointInterval && isBatchEnd) {
        considered = 0
        await sink.write(checkpointMessage(record.position, shape))
      }
    }
    if (page.length === pageSize) continue
    if (!isCaughtUp) {
      isCaughtUp = true
      await faults.gate()
      await sink.write(new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()))
    }
    await news.wait()
  }
  news.close()
}

/** Waits for the next commit, without missing one that comes between two waits. */
class News {
  private isThere = false
  private wake: () => void = () => {}
  private readonly forget: () => void

  constructor(log: ServiceParts['log'], sink: Sink) {
    const tell = () => {
      this.isThere = true
      this.wake()
    }
    this.forget = log.onCommitted(tell)
    sink.onGone(tell)
  }

  async wait(): Promise<void> {
    if (!this.isThere) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
    this.isThere = false
  }

  close(): void {
    this.forget()
  }
}

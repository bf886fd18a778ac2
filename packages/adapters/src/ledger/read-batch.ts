import { parseRunEvent, parseRunMessage } from '@almanac/protocol'
import { readSkips } from '../transactions/records.js'
import type { CommittedRecord } from '../transactions/transaction-log.js'
import type { LedgerBatch, SeenEvent, SeenRun, SeenSkips } from './sink.js'
import { parseTotals, type TaskTotals } from './totals.js'

export type TopicKind = 'runs' | 'events' | 'skips' | 'totals'

/** Reads runs. One that remembers is of use where many readers in one process read the same. */
export type ReadRun = (record: CommittedRecord) => Pick<SeenRun, 'run' | 'mark'>

export const readSeenRun: ReadRun = ({ value }) => {
  const { run, term } = parseRunMessage(value)
  return { run, mark: { term, seq: run.seq } }
}

/** What can't be read is passed over: one bad record must not keep a reader from the good ones after it. */
export function readBatch(
  topic: string,
  kind: TopicKind,
  records: readonly CommittedRecord[],
  readRun: ReadRun,
  onUnreadable: (kind: TopicKind, record: CommittedRecord, fault: unknown) => void,
): LedgerBatch {
  const runs: SeenRun[] = []
  const skips: SeenSkips[] = []
  const events: SeenEvent[] = []
  const totals: TaskTotals[] = []
  const next = new Map<number, number>()
  for (const record of records) {
    next.set(record.partition, record.offset + 1)
    try {
      if (kind === 'runs') runs.push({ ...readRun(record), ...placeOf(record), text: record.value })
      else if (kind === 'skips') skips.push(skipsIn(record))
      else if (kind === 'events') events.push(eventIn(record))
      else totals.push(parseTotals(record.value))
    } catch (fault) {
      onUnreadable(kind, record, fault)
    }
  }
  return { topic, runs, skips, events, totals, next }
}

const placeOf = ({ partition, offset, appendedAt }: CommittedRecord) => ({ partition, offset, appendedAt })

function skipsIn(record: CommittedRecord): SeenSkips {
  const { partition: owner, seq, term = 0, decidedAt = record.appendedAt, skips, resets } = readSkips(record)
  return { owner, mark: { term, seq }, decidedAt, skips, resets, ...placeOf(record) }
}

function eventIn(record: CommittedRecord): SeenEvent {
  const result = parseRunEvent(record.value)
  if (!result.ok) throw new Error(`${result.fault.code}: ${result.fault.message}`)
  return { event: result.event, ...placeOf(record) }
}

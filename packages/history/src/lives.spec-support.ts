import { type Checkpoint, checkpointHash, partitionOf } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { minute, partitions, type Sabotage, Scribe, second } from './scribe.spec-support.js'
import type { HistoryRecord, RunRecordSeen } from './types.js'

/** Tasks of both partitions, created at the start. */
const inputs: readonly { readonly id: string; readonly input: object }[] = [
  { id: 'MINUTELY', input: {} },
  { id: 'OFTEN', input: { schedule: { interval: { every: 20, period: 'seconds' } } } },
  { id: 'CRON', input: { schedule: { crontab: { expression: '*/2 * * * *' } }, catchUp: { policy: 'all' } } },
  { id: 'JITTER', input: { jitterSeconds: 20 } },
  { id: 'ALONE', input: { overlap: 'skip' } },
  { id: 'THRICE', input: { maxRuns: 3 } },
  { id: 'ONCE', input: { schedule: { clocked: { at: '2026-03-01T12:07:30Z' } }, oneOff: true } },
  { id: 'NEVER', input: { enabled: false } },
]

/**
 * Half an hour of a small cluster: commands of every kind, owners that die, a stop of five minutes after which
 * everything comes back by itself. `sabotage` changes what ticks decide.
 */
export function life(sabotage?: Sabotage): readonly HistoryRecord[] {
  const scribe = new Scribe()
  if (sabotage !== undefined) scribe.sabotage = sabotage
  for (const { id, input } of inputs) scribe.create(id, input)
  scribe.pass(4 * minute)
  scribe.command('OFTEN', { type: 'change', changes: { args: [1] } }, true)
  scribe.command('MINUTELY', { type: 'trigger', override: { args: ['now'] } })
  scribe.pass(minute)
  scribe.takeOver(0)
  scribe.command('CRON', { type: 'change', changes: { schedule: { crontab: { expression: '* * * * *' } } } })
  scribe.command('NEVER', { type: 'enable' })
  scribe.pass(3 * minute)
  scribe.records.push({ kind: 'fault', at: scribe.now, fault: 'crash', detail: 'node-0' })
  scribe.down.add(0)
  scribe.pass(2 * minute)
  // Due by then and never decided: they are skipped for that reason.
  scribe.command('MINUTELY', { type: 'disable', cause: 'requested' })
  scribe.command('JITTER', { type: 'change', changes: { expires: scribe.now + 10 * minute } })
  scribe.down.add(1)
  scribe.pass(3 * minute)
  scribe.takeOver(0)
  scribe.takeOver(1)
  scribe.records.push({ kind: 'healed', at: scribe.now })
  scribe.pass(minute)
  scribe.command('MINUTELY', { type: 'enable' })
  const until = scribe.now - 5 * minute
  scribe.command('OFTEN', { type: 'backfill', range: { from: until - minute, until, max: 10 } })
  scribe.pass(4 * minute)
  scribe.command('OFTEN', { type: 'change', changes: { args: [2] } }, true)
  scribe.command('NEVER', { type: 'delete', cause: 'requested' })
  scribe.pass(8 * minute)
  scribe.records.push({ kind: 'end', at: scribe.now })
  return scribe.records
}

/** The same with the checkpoints of a partition lost: it goes on from a mirrored one, and repeats what lies behind. */
export function recoveredLife(isMarked = true): readonly HistoryRecord[] {
  const scribe = new Scribe()
  for (const { id, input } of inputs) scribe.create(id, input)
  scribe.pass(3 * minute)
  const mirrored = scribe.checkpointOf(partitionOf('OFTEN', partitions))
  scribe.pass(2 * minute)
  scribe.command('OFTEN', { type: 'trigger', override: {} })
  scribe.pass(minute)
  scribe.recover(partitionOf('OFTEN', partitions), mirrored)
  scribe.pass(3 * minute)
  scribe.records.push({ kind: 'end', at: scribe.now })
  if (isMarked) return scribe.records
  return scribe.records.map((record) => {
    if (record.kind !== 'run') return record
    const { replayed: _, ...run } = record.run
    return { ...record, run }
  })
}

export const isRunOf =
  (taskId: string) =>
  (record: HistoryRecord): record is RunRecordSeen =>
    record.kind === 'run' && record.run.taskId === taskId && record.run.kind === 'scheduled'

/** With one record changed, or left out: the `nth` (from the end with a negative one) of those that are meant. */
export function edited<R extends HistoryRecord>(
  records: readonly HistoryRecord[],
  isMeant: (record: HistoryRecord) => record is R,
  nth: number,
  edit: (record: R) => readonly HistoryRecord[],
): readonly HistoryRecord[] {
  const meant = records.filter(isMeant).at(nth)
  if (meant === undefined) throw new Error('there is no such record')
  return records.flatMap((record) => (record === meant ? edit(meant) : [record]))
}

/** With the whole tick of a run written at another time. */
export function tickWritten(
  records: readonly HistoryRecord[],
  isMeant: (record: HistoryRecord) => record is RunRecordSeen,
  nth: number,
  at: (record: RunRecordSeen) => Instant,
): readonly HistoryRecord[] {
  const meant = records.filter(isMeant).at(nth)
  if (meant === undefined) throw new Error('there is no such record')
  const { partition, seq } = meant.run
  const appendedAt = at(meant)
  return records.map((record) => {
    if (record.kind === 'run' && record.run.partition === partition && record.run.seq === seq)
      return { ...record, appendedAt }
    return record.kind === 'checkpoint' && record.partition === partition && record.checkpoint.seq === seq
      ? { ...record, appendedAt }
      : record
  })
}

/** With every checkpoint holding the hash of the one before it: as if it had been written so. */
export function rechained(records: readonly HistoryRecord[]): readonly HistoryRecord[] {
  const last = new Map<number, Checkpoint>()
  return records.map((record) => {
    if (record.kind !== 'checkpoint') return record
    const before = last.get(record.partition)
    const previous = before === undefined ? '' : checkpointHash(before)
    const checkpoint = { ...record.checkpoint, previous }
    last.set(record.partition, checkpoint)
    return { ...record, checkpoint }
  })
}

export { second }

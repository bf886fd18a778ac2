import { eventHash, runIdOf } from '@almanac/domain'
import { expect, it } from 'vitest'
import { checkHistory } from './check.js'
import { edited, isRunOf, life, rechained, recoveredLife, tickWritten } from './lives.spec-support.js'
import { minute, type Sabotage, second, start } from './scribe.spec-support.js'
import { type HistoryRecord, type Rule, rules, type Violation } from './types.js'

// One violation at a time is planted into a clean history. The checker must name its rule, and where it is: a checker
// that sees nothing is worth nothing.

interface Planted {
  readonly rule: Rule
  readonly what: string
  readonly records: () => readonly HistoryRecord[]
  /** What the violation must say of the place. */
  readonly where: Partial<Violation>
  /** Rules that the same fault rightly breaks as well. No other may be named. */
  readonly also?: readonly Rule[]
}

const is =
  <K extends HistoryRecord['kind']>(
    kind: K,
    meant: (record: Extract<HistoryRecord, { kind: K }>) => boolean = () => true,
  ) =>
  (record: HistoryRecord): record is Extract<HistoryRecord, { kind: K }> =>
    record.kind === kind && meant(record as Extract<HistoryRecord, { kind: K }>)

/** In the calm after the recovery. */
const calm = start + 20 * minute

const isRunIn = (taskId: string, from: number) => (record: HistoryRecord) =>
  isRunOf(taskId)(record) && record.run.scheduledAt >= from

const oneRun = (taskId: string, from = calm) => is('run', (record) => isRunIn(taskId, from)(record))

const isOfPartition = (partition: number, from = 0) =>
  is('checkpoint', (record) => record.partition === partition && record.appendedAt >= from)

/** The tick that decides the run of this instant does this instead. */
const instead =
  (taskId: string, at: number, change: (run: Run) => readonly Run[]): Sabotage =>
  (planned) => ({
    ...planned,
    runs: planned.runs.flatMap((run) =>
      run.taskId === taskId && run.scheduledAt === at ? change(run) : [run],
    ),
  })
type Run = Parameters<Sabotage>[0]['runs'][number]

const at = (ms: number) => start + ms

const planted: readonly Planted[] = [
  {
    rule: 'lost',
    what: 'a tick forgets an occurrence',
    records: () => life(instead('OFTEN', at(25 * minute), () => [])),
    where: { taskId: 'OFTEN', at: at(25 * minute) },
    also: ['replay-differs'],
  },
  {
    rule: 'lost',
    what: 'a tick does not tell what it missed',
    records: () =>
      life((planned) => ({ ...planned, skips: planned.skips.filter(({ reason }) => reason !== 'misfire') })),
    where: { taskId: 'OFTEN', at: at(8 * minute + 20 * second + 2 * minute) },
    also: ['replay-differs'],
  },
  {
    rule: 'lost',
    what: 'a trigger that no tick answers',
    records: () =>
      life((planned) => ({ ...planned, runs: planned.runs.filter(({ kind }) => kind !== 'manual') })),
    where: { taskId: 'MINUTELY', at: at(4 * minute) },
    also: ['replay-differs'],
  },
  {
    rule: 'doubled',
    what: 'a run that is committed again by the next tick',
    records: () => {
      let again: readonly Run[] = []
      return life((planned, { partition }) => {
        if (partition !== 1) return planned
        const runs = [...planned.runs, ...again]
        again = planned.runs.filter((run) => run.taskId === 'OFTEN' && run.scheduledAt === at(24 * minute))
        return { ...planned, runs }
      })
    },
    where: { taskId: 'OFTEN', runId: runIdOf('almanac', 'default', 'OFTEN', at(24 * minute)) },
    also: ['replay-differs', 'out-of-order', 'late'],
  },
  {
    rule: 'doubled',
    what: 'a recovery that repeats runs and does not say so',
    records: () => recoveredLife(false),
    where: { taskId: 'OFTEN' },
  },
  {
    rule: 'doubled',
    what: 'an occurrence that is run and skipped',
    records: () =>
      life((planned) => ({
        ...planned,
        skips: [
          ...planned.skips,
          ...planned.runs
            .filter((run) => run.taskId === 'CRON' && run.scheduledAt === at(24 * minute))
            .map(({ taskId, scheduledAt, revision }) => {
              return {
                taskId,
                reason: 'misfire',
                first: scheduledAt,
                last: scheduledAt,
                count: 1,
                revision,
              } as const
            }),
        ],
      })),
    where: { taskId: 'CRON', at: at(24 * minute) },
    also: ['replay-differs'],
  },
  {
    rule: 'unexpected',
    what: 'a run at an instant that the schedule does not have',
    records: () =>
      life(
        instead('CRON', at(24 * minute), (run) => {
          const scheduledAt = run.scheduledAt - second
          const runId = runIdOf('almanac', 'default', 'CRON', scheduledAt)
          return [{ ...run, scheduledAt, dispatchAt: scheduledAt, runId }, run]
        }),
      ),
    where: { taskId: 'CRON', at: at(24 * minute - second) },
    also: ['replay-differs'],
  },
  {
    rule: 'unexpected',
    what: 'a run id that is not of its instant',
    records: () => life(instead('CRON', at(24 * minute), (run) => [{ ...run, runId: 'f'.repeat(32) }])),
    where: { taskId: 'CRON', runId: 'f'.repeat(32) },
    also: ['replay-differs'],
  },
  {
    rule: 'unexpected',
    what: 'a fourth run of a task that may run three times',
    records: () => {
      let isFirst = true
      return life((planned, { partition }) => {
        const scheduledAt = at(6 * minute)
        const isDue = partition === 0 && planned.cursor.at >= scheduledAt && isFirst
        if (!isDue) return planned
        isFirst = false
        const runId = runIdOf('almanac', 'default', 'THRICE', scheduledAt)
        const run = {
          runId,
          taskId: 'THRICE',
          scheduledAt,
          dispatchAt: scheduledAt,
          kind: 'scheduled',
          revision: 0,
        } as const
        return { ...planned, runs: [...planned.runs, run] }
      })
    },
    where: { taskId: 'THRICE' },
    also: ['replay-differs'],
  },
  {
    rule: 'early',
    what: 'a run that is committed before its time',
    records: () => tickWritten(life(), oneRun('OFTEN'), 3, ({ run }) => run.scheduledAt - 251),
    where: { taskId: 'OFTEN' },
  },
  {
    rule: 'early',
    what: 'a run that does not wait for its jitter',
    records: () => tickWritten(life(), oneRun('JITTER', 0), 2, ({ run }) => run.scheduledAt),
    where: { taskId: 'JITTER' },
  },
  {
    rule: 'late',
    what: 'a run that comes late although nothing is broken',
    records: () =>
      edited(life(), oneRun('OFTEN'), 3, (record) => [
        { ...record, appendedAt: record.run.scheduledAt + 5_001 },
      ]),
    where: { taskId: 'OFTEN' },
  },
  {
    rule: 'stale-definition',
    what: 'a run of an older revision',
    records: () =>
      edited(life(), oneRun('OFTEN'), 3, (record) => [
        { ...record, run: { ...record.run, taskRevision: 1 } },
      ]),
    where: { taskId: 'OFTEN' },
  },
  {
    rule: 'stale-definition',
    what: 'a run of the old definition after the answer that said fenced',
    records: () =>
      edited(
        life(),
        is('answer', ({ isFenced }) => isFenced),
        0,
        (record) => [{ ...record, answeredAt: record.answeredAt - 11 * second }],
      ),
    where: { taskId: 'OFTEN', at: at(4 * minute + 20) },
  },
  {
    rule: 'stale-definition',
    what: 'a run with the arguments of an older revision',
    records: () =>
      edited(life(), oneRun('OFTEN'), -1, (record) => [{ ...record, run: { ...record.run, args: [1] } }]),
    where: { taskId: 'OFTEN' },
  },
  {
    rule: 'out-of-order',
    what: 'two runs of a task that changed places',
    records: () => {
      const [first, second] = life().filter(oneRun('OFTEN'))
      const offsets = new Map([
        [first?.offset, second?.offset],
        [second?.offset, first?.offset],
      ])
      return life().map((record) =>
        record.kind === 'run' ? { ...record, offset: offsets.get(record.offset) ?? record.offset } : record,
      )
    },
    where: { taskId: 'OFTEN' },
  },
  {
    rule: 'gap',
    what: 'a checkpoint that is missing',
    records: () => edited(life(), isOfPartition(1), 9, () => []),
    where: { partition: 1 },
  },
  {
    rule: 'gap',
    what: 'a checkpoint that does not follow the one before it',
    records: () =>
      edited(life(), isOfPartition(1), -1, (record) => [
        { ...record, checkpoint: { ...record.checkpoint, previous: 'f'.repeat(64) } },
      ]),
    where: { partition: 1 },
  },
  {
    rule: 'gap',
    what: 'a position that the log does not have',
    records: () =>
      rechained(
        edited(life(), isOfPartition(1), -1, (record) => [
          { ...record, checkpoint: { ...record.checkpoint, position: 1_000 } },
        ]),
      ),
    where: { partition: 1 },
  },
  {
    rule: 'two-writers',
    what: 'a checkpoint of an owner after the next one has taken over',
    records: () => {
      const records = life()
      const last = records.findLast(isOfPartition(0))
      if (last === undefined) throw new Error('no checkpoint')
      const { appendedAt, offset } = last
      return [
        ...records,
        { kind: 'owner', partition: 0, offset: offset - 1, appendedAt, nodeId: 'node-9', term: 9 },
      ]
    },
    where: { partition: 0 },
  },
  {
    rule: 'two-writers',
    what: 'a term that falls',
    records: () =>
      rechained(
        edited(life(), isOfPartition(0), -1, (record) => [
          { ...record, checkpoint: { ...record.checkpoint, term: 1 } },
        ]),
      ),
    where: { partition: 0 },
    also: ['gap'],
  },
  {
    rule: 'replay-differs',
    what: 'a skip that names another revision',
    records: () =>
      edited(
        life(),
        is('skip', ({ skip }) => skip.reason === 'misfire'),
        0,
        (record) => [{ ...record, skip: { ...record.skip, revision: 7 } }],
      ),
    where: { at: at(13 * minute + second) },
  },
  {
    rule: 'replay-differs',
    what: 'a tick that says that it was planned at another time',
    records: () =>
      rechained(
        edited(life(), isOfPartition(1), -1, (record) => [
          { ...record, checkpoint: { ...record.checkpoint, evaluatedAt: record.checkpoint.evaluatedAt + 5 } },
        ]),
      ),
    where: { partition: 1 },
  },
  {
    rule: 'incomplete-tick',
    what: 'a run that is missing',
    records: () => edited(life(), oneRun('OFTEN'), 3, () => []),
    where: { partition: 1 },
    also: ['lost'],
  },
  {
    rule: 'incomplete-tick',
    what: 'a skip that is missing',
    records: () => edited(life(), is('skip'), 0, () => []),
    where: {},
    also: ['lost'],
  },
  {
    rule: 'incomplete-tick',
    what: 'a run whose tick was never committed',
    records: () =>
      edited(life(), oneRun('OFTEN'), -1, (record) => [
        record,
        {
          ...record,
          offset: 10_000,
          appendedAt: record.appendedAt + second,
          run: { ...record.run, seq: 9_999 },
        },
      ]),
    where: { taskId: 'OFTEN' },
    also: ['doubled'],
  },
  {
    rule: 'lost-command',
    what: 'an answer whose event is not there',
    records: () => edited(life(), is('answer'), -1, (record) => [{ ...record, position: 10_000 }]),
    where: { taskId: 'NEVER' },
  },
  {
    rule: 'lost-command',
    what: 'an answer with the event of another task',
    records: () => edited(life(), is('answer'), -1, (record) => [{ ...record, taskId: 'OFTEN' }]),
    where: { taskId: 'OFTEN' },
  },
  {
    rule: 'doubled-command',
    what: 'a key that was applied twice',
    records: () => {
      const records = life()
      const last = records.findLast(is('event'))?.event
      if (last === undefined) throw new Error('no event')
      const event = (nth: number) => {
        const metadata = { ...last.metadata, idempotencyKey: 'again', previousHash: '' }
        const stored = {
          id: `cluster-${nth}`,
          type: 'ChangeAnnounced',
          version: 1,
          data: { note: '' },
          metadata,
        }
        const stream = `cluster-${nth}`
        return { ...stored, stream, revision: 0, position: last.position + 1 + nth, hash: eventHash(stored) }
      }
      return [...records, { kind: 'event', event: event(0) }, { kind: 'event', event: event(1) }]
    },
    where: { at: at(18 * minute) },
  },
  {
    rule: 'tampered',
    what: 'an event that says something else than it did',
    records: () =>
      edited(life(), is('event'), 12, ({ kind, event }) => [
        { kind, event: { ...event, metadata: { ...event.metadata, actor: 'mallory' } } },
      ]),
    where: {},
  },
  {
    rule: 'tampered',
    what: 'an event that was taken out',
    records: () =>
      edited(
        life(),
        is('event', ({ event }) => event.type === 'TaskTriggered'),
        0,
        () => [],
      ),
    where: { taskId: 'MINUTELY' },
    also: ['lost-command', 'unexpected', 'replay-differs'],
  },
  {
    rule: 'gap',
    what: 'a partition whose beginning is in no event',
    records: () =>
      edited(
        life(),
        is('event', ({ event }) => event.stream === 'partition-1'),
        0,
        () => [],
      ),
    where: { partition: 1 },
  },
  {
    rule: 'unrecovered',
    what: 'a partition that does not come back',
    records: () =>
      life().filter(
        (record) =>
          !(record.kind === 'checkpoint' && record.partition === 1 && record.appendedAt > calm) &&
          !(record.kind === 'run' && record.run.partition === 1 && record.appendedAt > calm),
      ),
    where: { partition: 1 },
  },
]

const found = new Map<Rule, number>()

it.each(planted)('$rule: $what', ({ rule, records, where, also = [] }) => {
  const { violations } = checkHistory(records())
  const named = violations.filter((violation) => violation.rule === rule)
  expect(
    named.length,
    violations.map(({ rule: its, message }) => `${its}: ${message}`).join('\n'),
  ).toBeGreaterThan(0)
  expect(named).toContainEqual(expect.objectContaining(where))
  const allowed = new Set<Rule>([rule, ...also])
  expect(violations.filter((violation) => !allowed.has(violation.rule))).toEqual([])
  found.set(rule, (found.get(rule) ?? 0) + 1)
})

it('finds a planted violation of every rule', () => {
  expect(rules.filter((rule) => !planted.some((one) => one.rule === rule))).toEqual([])
  process.stdout.write(
    `${rules.map((rule) => `${rule.padEnd(18)} ${found.get(rule) ?? 0} planted, found`).join('\n')}\n`,
  )
})

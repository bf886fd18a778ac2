import { type Instant, parseInstant } from '@almanac/recurrence'

/** Names a tick of a partition. Ticks follow each other by term, then by seq, also after a checkpoint was lost. */
export interface TickMark {
  readonly term: number
  readonly seq: number
}

/** Positive when `a` is the later tick; no mark is before all. */
export const compareMarks = (a: TickMark | null, b: TickMark | null): number =>
  (a?.term ?? -1) - (b?.term ?? -1) || (a?.seq ?? -1) - (b?.seq ?? -1)

/** What is counted of one partition of a run topic: the task's runs before the offset `next`. */
export interface CountedPlace {
  readonly next: number
  readonly count: number
}

/**
 * The runs of one task since its totals were last reset. It tells by itself what it has counted, so that any two of
 * one task can be made into one, whoever wrote them and in whatever order they come.
 */
export interface TaskTotals {
  readonly taskId: string
  readonly namespace: string
  /** The tick that reset the totals last: its own runs count already. Null: never. */
  readonly reset: TickMark | null
  readonly lastRunAt: Instant | null
  readonly lastScheduledAt: Instant | null
  /** By `<topic>/<partition>`. */
  readonly counted: ReadonlyMap<string, CountedPlace>
}

/** What the runs tell that one has oneself. */
export interface RunsAtHand {
  /** How many runs of the task there are in the place from offset `from` until before `until`, since the reset. */
  between(place: string, from: number, until: number, reset: TickMark | null): number
}

export const noTotals = (taskId: string, namespace: string): TaskTotals => ({
  taskId,
  namespace,
  reset: null,
  lastRunAt: null,
  lastScheduledAt: null,
  counted: new Map(),
})

export const totalOf = ({ counted }: Pick<TaskTotals, 'counted'>): number => {
  let sum = 0
  for (const { count } of counted.values()) sum += count
  return sum
}

/**
 * One's own totals and others', which both begin at the same reset. What can be wrong in either is that a place was
 * not read from its beginning, or with a gap, since its topic keeps records for a time only: then it has counted too
 * few, so of two that count the same runs the one that has more is right.
 */
export function merged(own: TaskTotals, other: TaskTotals, atHand: RunsAtHand): TaskTotals {
  const counted = new Map(own.counted)
  for (const [place, theirs] of other.counted) {
    const mine = own.counted.get(place)
    counted.set(place, mine === undefined ? theirs : mergedPlace(own, place, mine, theirs, atHand))
  }
  const isNewer =
    (other.lastRunAt ?? -1) > (own.lastRunAt ?? -1) ||
    (other.lastRunAt === own.lastRunAt && (other.lastScheduledAt ?? -1) > (own.lastScheduledAt ?? -1))
  const { lastRunAt, lastScheduledAt } = isNewer ? other : own
  return { ...own, lastRunAt, lastScheduledAt, counted }
}

function mergedPlace(
  { reset }: TaskTotals,
  place: string,
  mine: CountedPlace,
  theirs: CountedPlace,
  atHand: RunsAtHand,
): CountedPlace {
  if (theirs.next >= mine.next) return theirs.count >= mine.count ? theirs : mine
  const theirsGoingOn = theirs.count + atHand.between(place, theirs.next, mine.next, reset)
  return { next: mine.next, count: Math.max(mine.count, theirsGoingOn) }
}

export const isSame = (a: TaskTotals, b: TaskTotals): boolean =>
  compareMarks(a.reset, b.reset) === 0 &&
  a.lastRunAt === b.lastRunAt &&
  a.lastScheduledAt === b.lastScheduledAt &&
  a.counted.size === b.counted.size &&
  [...a.counted].every(([place, { next, count }]) => {
    const other = b.counted.get(place)
    return other?.next === next && other.count === count
  })

/** A record of the topic of totals; key: the task id. */
interface TotalsJson {
  readonly version: 1
  readonly taskId: string
  readonly namespace: string
  /** The sum of what is counted: for readers who want no more. */
  readonly count: number
  readonly lastRunAt: string | null
  readonly lastScheduledAt: string | null
  readonly reset: TickMark | null
  /** By `<topic>/<partition>`: the offset before which runs are counted, and how many there are. */
  readonly counted: { readonly [place: string]: readonly [next: number, count: number] }
}

export const totalsText = (totals: TaskTotals): string => {
  const { taskId, namespace, reset, lastRunAt, lastScheduledAt, counted } = totals
  const json: TotalsJson = {
    version: 1,
    taskId,
    namespace,
    count: totalOf(totals),
    lastRunAt: textOf(lastRunAt),
    lastScheduledAt: textOf(lastScheduledAt),
    reset,
    counted: Object.fromEntries([...counted].map(([place, { next, count }]) => [place, [next, count]])),
  }
  return JSON.stringify(json)
}

/** Reads the value of a record of totals. Throws when it is none. */
export function parseTotals(text: string): TaskTotals {
  const json = JSON.parse(text) as TotalsJson | null
  if (json?.version !== 1) throw new Error('No totals of a known version')
  const { taskId, namespace, reset } = json
  if (typeof taskId !== 'string' || typeof namespace !== 'string') throw new Error('Totals of no task')
  if (reset !== null && !(isCount(reset?.term) && isCount(reset?.seq))) throw new Error('reset names no tick')
  const counted = new Map<string, CountedPlace>()
  for (const [place, [next, count]] of Object.entries(json.counted)) {
    if (!isCount(next) || !isCount(count)) throw new Error(`${place} has no counts`)
    counted.set(place, { next, count })
  }
  const [lastRunAt, lastScheduledAt] = [instantOf(json.lastRunAt), instantOf(json.lastScheduledAt)]
  return { taskId, namespace, reset, lastRunAt, lastScheduledAt, counted }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

const textOf = (instant: Instant | null): string | null =>
  instant === null ? null : new Date(instant).toISOString()

function instantOf(text: string | null): Instant | null {
  if (text === null) return null
  const parsed = parseInstant(text)
  if (!parsed.ok) throw new Error(`${JSON.stringify(text)} is no instant`)
  return parsed.value
}

import type { Skip } from '@almanac/domain'
import type { Instant, Zone } from '@almanac/recurrence'
import type { ForecastTask } from '../catalog.js'
import { durationText } from '../duration.js'
import { dayMs, nextStart, weekdayOf, zonedText } from '../local-time.js'
import type { Check, Per } from './parse.js'
import type { Pattern } from './pattern.js'
import type { WrittenCheck } from './read.js'

/** One place where a check does not hold. */
export interface Violation {
  readonly at: Instant
  /** The instant in the zone of the check. */
  readonly when: string
  /** What is wrong there, as a sentence without its end. */
  readonly message: string
}

export interface CheckResult {
  /** As it was written. */
  readonly text: string
  readonly passed: boolean
  readonly violations: number
  /** The first few. */
  readonly first: readonly Violation[]
}

/** A run as a check sees it. */
export interface JudgedRun {
  readonly task: ForecastTask
  readonly scheduledAt: Instant
  /** When it was handed to the workers. */
  readonly at: Instant
}

const violationsKept = 5

/** Watches one check while time goes by. Runs come in the order of time. */
export abstract class Judge {
  protected readonly zone: Zone
  /** Tasks whose runs it wants to see. */
  readonly patterns: readonly Pattern[]
  private readonly text: string
  private readonly kept: Violation[] = []
  private violations = 0

  constructor(text: string, at: Zone, ...patterns: readonly Pattern[]) {
    this.text = text
    this.zone = at
    this.patterns = patterns
  }

  run(_run: JudgedRun): void {}

  skipped(_task: ForecastTask, _skip: Skip): void {}

  /** Time is over. */
  end(_at: Instant): void {}

  /** A pattern that no task matches is a mistake in the check: it could never fail. */
  begin(at: Instant, tasks: readonly ForecastTask[]): void {
    for (const { text, matches } of this.patterns) {
      if (!tasks.some(matches)) this.violate(at, `no task matches ${text}`)
    }
  }

  result(): CheckResult {
    const { text, violations, kept } = this
    return { text, passed: violations === 0, violations, first: kept }
  }

  /** `count`: of so many violations at once. */
  protected violate(at: Instant, message: string, count = 1): void {
    this.violations += count
    if (this.kept.length < violationsKept) this.kept.push({ at, when: zonedText(at, this.zone), message })
  }
}

/** `shown`: the zone for instants of checks that have none of their own. */
export function judgeOf({ text, check }: WrittenCheck, from: Instant, shown: Zone): Judge {
  switch (check.kind) {
    case 'noRun':
      return new NoRunJudge(text, check, shown)
    case 'noSkip':
      return new NoSkipJudge(text, shown, check.pattern)
    case 'atMost':
      return new AtMostJudge(text, check, shown)
    case 'atLeast':
      return check.per === null
        ? new TotalJudge(text, check, from, shown)
        : new PeriodJudge(text, check, check.per, from)
    case 'lateness':
      return new LatenessJudge(text, check, shown)
    case 'noGap':
      return new GapJudge(text, check, from, shown)
    case 'apart':
      return new ApartJudge(text, check, shown)
  }
}

type CheckOf<Kind extends Check['kind']> = Check & { readonly kind: Kind }

const named = ({ name }: ForecastTask) => `"${name}"`

class NoRunJudge extends Judge {
  private readonly check: CheckOf<'noRun'>

  constructor(text: string, check: CheckOf<'noRun'>, shown: Zone) {
    super(text, check.hours?.zone ?? check.days?.zone ?? shown, check.pattern)
    this.check = check
  }

  override run({ task, at }: JudgedRun): void {
    const { hours, days } = this.check
    const local = this.zone.toLocal(at)
    if (days !== null && !days.weekdays.has(weekdayOf(local))) return
    if (hours !== null) {
      const time = local - Math.floor(local / dayMs) * dayMs
      const { from, until } = hours
      if (from < until ? time < from || time >= until : time < from && time >= until) return
    }
    this.violate(at, `${named(task)} ran`)
  }
}

class NoSkipJudge extends Judge {
  override skipped(task: ForecastTask, { first, count, reason }: Skip): void {
    const times = count === 1 ? 'an occurrence' : `${count} occurrences`
    this.violate(first, `${times} of ${named(task)} skipped: ${reason}`, count)
  }
}

/** A sliding window: the last `runs` instants tell whether one more is too many. */
class AtMostJudge extends Judge {
  private readonly limit: number
  private readonly withinMs: number
  private readonly recent: Float64Array
  private place = 0
  private toldUntil = Number.NEGATIVE_INFINITY

  constructor(text: string, check: CheckOf<'atMost'>, shown: Zone) {
    super(text, shown, check.pattern)
    this.limit = check.runs
    this.withinMs = check.withinMs
    this.recent = new Float64Array(check.runs).fill(Number.NEGATIVE_INFINITY)
  }

  override run({ task, at }: JudgedRun): void {
    const oldest = this.limit === 0 ? at : (this.recent[this.place] ?? 0)
    if (this.limit > 0) {
      this.recent[this.place] = at
      this.place = (this.place + 1) % this.limit
    }
    // A burst is one violation, not one for each of its runs.
    if (at - oldest >= this.withinMs || at < this.toldUntil) return
    this.toldUntil = at + this.withinMs
    const since = at === oldest ? 'at once' : `in ${durationText(at - oldest)}`
    this.violate(at, `run ${this.limit + 1} ${since}, of ${named(task)}`)
  }
}

class TotalJudge extends Judge {
  private readonly least: number
  private readonly from: Instant
  private runs = 0

  constructor(text: string, check: CheckOf<'atLeast'>, from: Instant, shown: Zone) {
    super(text, shown, check.pattern)
    this.least = check.runs
    this.from = from
  }

  override run(): void {
    this.runs += 1
  }

  override end(): void {
    if (this.runs < this.least) this.violate(this.from, `${this.runs} in all`)
  }
}

/** Counts in whole local hours, days ... that lie in the time of the forecast. */
class PeriodJudge extends Judge {
  private readonly least: number
  private readonly per: Per
  private start: Instant
  private until: Instant
  private runs = 0
  private periods = 0

  constructor(text: string, check: CheckOf<'atLeast'>, per: Per, from: Instant) {
    super(text, per.zone, check.pattern)
    this.least = check.runs
    this.per = per
    this.start = nextStart(per.zone, per.unit, from - 1)
    this.until = nextStart(per.zone, per.unit, this.start)
  }

  override run({ at }: JudgedRun): void {
    while (at >= this.until) this.close()
    if (at >= this.start) this.runs += 1
  }

  override end(at: Instant): void {
    while (this.until <= at) this.close()
    if (this.periods === 0)
      this.violate(this.start, `no whole ${this.per.unit} lies in the time that was played`)
  }

  private close(): void {
    // Where the clock jumps by half an hour there is half an hour: nothing is asked of it.
    const isWhole = this.per.unit !== 'hour' || this.until - this.start >= 3_600_000
    if (isWhole) this.periods += 1
    if (isWhole && this.runs < this.least) {
      this.violate(this.start, `${this.runs} in the ${this.per.unit} that begins here`)
    }
    this.runs = 0
    this.start = this.until
    this.until = nextStart(this.per.zone, this.per.unit, this.start)
  }
}

class LatenessJudge extends Judge {
  private readonly withinMs: number

  constructor(text: string, check: CheckOf<'lateness'>, shown: Zone) {
    super(text, shown, check.pattern)
    this.withinMs = check.withinMs
  }

  override run({ task, at, scheduledAt }: JudgedRun): void {
    if (at - scheduledAt <= this.withinMs) return
    const due = zonedText(scheduledAt, this.zone)
    this.violate(at, `${named(task)} of ${due} ran ${durationText(at - scheduledAt)} late`)
  }
}

/** The time before the first run and after the last one counts: the gap is at least as long. */
class GapJudge extends Judge {
  private readonly longestMs: number
  private last: Instant

  constructor(text: string, check: CheckOf<'noGap'>, from: Instant, shown: Zone) {
    super(text, shown, check.pattern)
    this.longestMs = check.longestMs
    this.last = from
  }

  override run({ at }: JudgedRun): void {
    this.close(at)
  }

  override end(at: Instant): void {
    this.close(at)
  }

  private close(at: Instant): void {
    if (at - this.last > this.longestMs)
      this.violate(this.last, `nothing for ${durationText(at - this.last)} from here`)
    this.last = at
  }
}

/** The nearest earlier run on the other side is the last one there, since runs come in the order of time. */
class ApartJudge extends Judge {
  private readonly check: CheckOf<'apart'>
  private lastFirst: JudgedRun | undefined
  private lastOther: JudgedRun | undefined

  constructor(text: string, check: CheckOf<'apart'>, shown: Zone) {
    super(text, shown, check.pattern, check.other)
    this.check = check
  }

  override run(run: JudgedRun): void {
    const isFirst = this.check.pattern.matches(run.task)
    const isOther = this.check.other.matches(run.task)
    const met =
      (isFirst ? this.near(this.lastOther, run) : undefined) ??
      (isOther ? this.near(this.lastFirst, run) : undefined)
    if (met !== undefined) {
      const apart = run.at === met.at ? 'at once with' : `${durationText(run.at - met.at)} after`
      this.violate(run.at, `${named(run.task)} ran ${apart} ${named(met.task)}`)
    }
    if (isFirst) this.lastFirst = run
    if (isOther) this.lastOther = run
  }

  private near(other: JudgedRun | undefined, { at }: JudgedRun): JudgedRun | undefined {
    return other !== undefined && at - other.at <= this.check.withinMs ? other : undefined
  }
}

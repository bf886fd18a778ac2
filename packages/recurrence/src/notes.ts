/** What the changes of the clocks do to a schedule, in words, for previews. */

import { type Crontab, compileCrontab, parseCrontab } from './crontab.js'
import type { Instant, Recurrence, ScheduleValue } from './types.js'
import { type Transition, zone } from './zone.js'

/** The most sentences of one answer. */
export const maxNotes = 20

/**
 * Transitions are read a year at a time, so that a long window with many notes costs no more than its first
 * years.
 */
const yearMs = 366 * 86_400_000

/** Times that a sentence names one by one; of more it names the first and the last. */
const maxNamedTimes = 3

/**
 * One sentence for each change of a zone's offset in `(from, until]` which moves, drops, merges or repeats
 * a time of the schedule: twenty at most, in the order of time.
 *
 * Only crontabs have any: intervals, solar and clocked schedules know no local time. Of an `except` only
 * the base is looked at. A crontab that does not parse has none.
 */
export function dstNotes(value: ScheduleValue, from: Instant, until: Instant): readonly string[] {
  const crontabs = crontabsOf(value)
  const notes = new Set<string>()
  for (let start = from; start < until && notes.size < maxNotes; start += yearMs) {
    const end = Math.min(until, start + yearMs)
    const found = crontabs.flatMap((crontab) => notesOf(crontab, start, end))
    for (const { text } of found.sort((a, b) => a.at - b.at)) notes.add(text)
  }
  return [...notes].slice(0, maxNotes)
}

function crontabsOf(value: ScheduleValue): readonly Crontab[] {
  if ('union' in value) return value.union.flatMap(crontabsOf)
  if ('except' in value) return crontabsOf(value.except.base)
  if (!('crontab' in value)) return []
  const crontab = parseCrontab(value.crontab)
  return crontab.ok ? [crontab.value] : []
}

interface Note {
  readonly at: Instant
  readonly text: string
}

function notesOf(crontab: Crontab, from: Instant, until: Instant): readonly Note[] {
  const transitions = zone(crontab.timezone)?.transitionsBetween(from, until) ?? []
  if (transitions.length === 0) return []
  // In UTC a crontab has exactly the local times that match its fields, whatever the zone does with them.
  const local = compileCrontab({ ...crontab, timezone: 'UTC' })
  const real = compileCrontab(crontab)
  return transitions.flatMap((transition) => {
    const { at, before, after } = transition
    const today = at + before
    const [first, end] = before < after ? [at + before, at + after] : [at + after, at + before]
    const times = timesIn(local, first, end)
    if (times === undefined) return []
    const effect =
      before < after ? gapEffect(times, transition, crontab, local) : overlapEffect(times, transition, real)
    const direction = before < after ? 'forward' : 'back'
    const turn = `clocks go ${direction} from ${clock(at + before, today)} to ${clock(at + after, today)}`
    return [{ at, text: `On ${day(today)} ${turn} in ${crontab.timezone}: ${effect}.` }]
  })
}

interface Times {
  readonly count: number
  /** All of them when they are few, else the first and the last. */
  readonly named: readonly Instant[]
}

function timesIn(local: Recurrence, from: Instant, end: Instant): Times | undefined {
  const count = local.count(from - 1, end - 1)
  const first = local.next(from - 1)
  const last = local.previous(end - 1)
  if (count === 0 || first === undefined || last === undefined) return undefined
  if (count > maxNamedTimes) return { count, named: [first, last] }
  const named = [first]
  while (named.length < count) named.push(local.next(named.at(-1) ?? first) ?? last)
  return { count, named }
}

function gapEffect(
  times: Times,
  { at, before, after }: Transition,
  crontab: Crontab,
  local: Recurrence,
): string {
  const missing = `${shown(times, at + before)} ${times.count === 1 ? 'does' : 'do'} not exist`
  const { gap } = crontab.dst
  if (gap === 'skip') return `${missing} and ${times.count === 1 ? 'is' : 'are'} left out`
  if (gap === 'firstValid') return `${missing}; it fires once at ${clock(at + after, at + before)} instead`
  const shift = after - before
  const moved: Times = { ...times, named: times.named.map((time) => time + shift) }
  const others = local.count(at + after - 1, at + after + shift - 1)
  const merged = others >= times.count && moved.named.every((time) => local.next(time - 1) === time)
  if (merged)
    return `${missing} and ${times.count === 1 ? 'falls' : 'fall'} together with ${shown(moved, at + before)}`
  return `${missing} and ${times.count === 1 ? 'moves' : 'move'} to ${shown(moved, at + before)}`
}

function overlapEffect(times: Times, { at, before, after }: Transition, real: Recurrence): string {
  const twice = `${shown(times, at + before)} ${times.count === 1 ? 'comes' : 'come'} twice`
  const length = before - after
  const [first, second] = [real.count(at - length - 1, at - 1) > 0, real.count(at - 1, at + length - 1) > 0]
  if (first && second) return `${twice} and ${times.count === 1 ? 'fires' : 'fire'} both times`
  return `${twice} and ${times.count === 1 ? 'fires' : 'fire'} only the ${first ? 'first' : 'second'} time`
}

function shown({ count, named }: Times, today: number): string {
  const clocks = named.map((time) => clock(time, today))
  if (count > maxNamedTimes) return `the ${count} times from ${clocks[0]} to ${clocks[1]}`
  return clocks.length <= 2 ? clocks.join(' and ') : `${clocks.slice(0, -1).join(', ')}, and ${clocks.at(-1)}`
}

/** A local time, with its date when that is not `today`'s. Both are local times as if they were UTC. */
function clock(local: number, today: number): string {
  const time = new Date(local).toISOString().slice(11, 19)
  const short = time.endsWith(':00') ? time.slice(0, 5) : time
  return day(local) === day(today) ? short : `${day(local)} ${short}`
}

function day(local: number): string {
  return new Date(local).toISOString().slice(0, 10)
}

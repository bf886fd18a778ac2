import {
  compile,
  describe,
  dstNotes,
  firstN,
  type Recurrence,
  type ScheduleValue,
  zone,
} from '@almanac/recurrence'
import { formatInTimeZone } from 'date-fns-tz'
import { invalidValue, usage } from '../failure.js'
import type { Column } from '../output/table.js'
import { visible, wrap } from '../output/text.js'
import { instantText, relative } from '../output/time.js'
import { readSchedule } from '../schedule-text.js'
import { Session } from '../session.js'
import type { World } from '../world.js'

export interface PreviewOptions {
  readonly count?: string
  readonly from?: string
  readonly timezone?: string
  readonly seconds?: boolean
  readonly json?: boolean
}

/** Instants of one preview. */
const maxCount = 1000

/** The zone that the schedule itself is written in; UTC for those that have none. */
export const zoneOf = (value: ScheduleValue): string => {
  if ('crontab' in value) return value.crontab.timezone ?? 'UTC'
  if ('except' in value) return zoneOf(value.except.base)
  if ('union' in value) return value.union.map(zoneOf).find((name) => name !== 'UTC') ?? 'UTC'
  return 'UTC'
}

/** `Mon 2026-11-30 03:00:00 +01:00`, in UTC `Mon 2026-11-30 02:00:00Z`; milliseconds only when there are some. */
export const localText = (instant: number, timezone: string): string => {
  const fraction = instant % 1000 === 0 ? '' : '.SSS'
  return formatInTimeZone(
    instant,
    timezone,
    `EEE yyyy-MM-dd HH:mm:ss${fraction}${timezone === 'UTC' ? 'X' : ' xxx'}`,
  )
}

const countOf = (text: string): number => {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= maxCount) return count
  throw usage(`--count must be a whole number from 1 to ${maxCount}, not "${text}".`)
}

const checkedZone = (name: string): string => {
  const known = zone(name)
  if (known) return known.name
  throw usage(`--timezone "${name}" is not a time zone.`, 'Give an IANA name such as Europe/Berlin.')
}

const compiled = (value: ScheduleValue, anchor: number): Recurrence => {
  const result = compile(value, { anchor })
  if (result.ok) return result.value
  throw invalidValue('The schedule cannot be worked out here.', {
    problems: result.error,
    ...(result.error.some(({ code }) => code === 'unknown_calendar')
      ? { hint: 'Preview is offline and knows no named calendars: write the days in place of the name.' }
      : {}),
  })
}

const columns = (timezone: string, now: number): Column<number>[] => [
  {
    title: timezone === 'UTC' ? 'UTC' : `LOCAL (${timezone})`,
    value: (instant) => localText(instant, timezone),
  },
  ...(timezone === 'UTC' ? [] : [{ title: 'UTC', value: instantText }]),
  { title: 'WHEN', value: (instant) => relative(instant, now), drop: 1 },
]

const print = (
  session: Session,
  value: ScheduleValue,
  instants: readonly number[],
  context: { timezone: string; count: number; notes: readonly string[] },
) => {
  const { bold, dim, yellow } = session.world.out.paint
  for (const line of wrap(visible(describe(value)), session.world.out.columns)) session.line(bold(line))
  session.line()
  if (instants.length === 0) session.line(yellow('It never fires again after that.'))
  else session.table(columns(context.timezone, session.now), instants)
  if (instants.length > 0 && instants.length < context.count)
    session.line(dim('That is all: the schedule ends there.'))
  if ('interval' in value) {
    session.line(dim('Counted from --from; a task counts from its start time, else from its creation.'))
  }
  if (context.notes.length > 0) session.line()
  for (const note of context.notes) {
    for (const [index, text] of wrap(visible(note), session.world.out.columns - 2).entries()) {
      session.line(`${yellow(index === 0 ? '!' : ' ')} ${text}`)
    }
  }
}

/** Works out a schedule without any server: its sentence, the next instants, and what the clock changes do to it. */
export const preview = async (world: World, text: string, options: PreviewOptions): Promise<void> => {
  const session = new Session(world, { json: options.json === true })
  const count = countOf(options.count ?? '10')
  const wanted = options.timezone === undefined ? undefined : checkedZone(options.timezone)
  const value = await readSchedule(text, {
    ...(wanted === undefined ? {} : { timezone: wanted }),
    seconds: options.seconds === true,
  })
  const from = options.from === undefined ? session.now : session.instant('--from', options.from)
  const instants = firstN(compiled(value, from), from, count)
  const timezone = wanted ?? zoneOf(value)
  const notes = dstNotes(value, from, instants.at(-1) ?? from)
  if (!session.json) {
    print(session, value, instants, { timezone, count, notes })
    return
  }
  session.document({
    text: describe(value),
    schedule: value,
    from: new Date(from).toISOString(),
    timezone,
    occurrences: instants.map((instant) => new Date(instant).toISOString()),
    local: instants.map((instant) => formatInTimeZone(instant, timezone, "yyyy-MM-dd'T'HH:mm:ss.SSSxxx")),
    notes,
  })
}

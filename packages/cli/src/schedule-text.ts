import { type Problem, parseCrontabLine, type ScheduleValue, validateSchedule } from '@almanac/recurrence'
import { invalidValue } from './failure.js'
import { readStrictJson } from './strict-json.js'

export interface ScheduleTextOptions {
  /** Zone of a crontab that names none. @default UTC */
  readonly timezone?: string
  /** The line has a seconds field in front: six fields. */
  readonly seconds?: boolean
}

const fail = (message: string, problems: readonly Problem[]) =>
  invalidValue(message, {
    problems: problems.map(({ path, message: text }) => ({
      path: path.replace(/^line\.?/, ''),
      message: text,
    })),
  })

const withZone = (value: unknown, timezone: string | undefined): unknown => {
  if (timezone === undefined || typeof value !== 'object' || value === null || !('crontab' in value))
    return value
  const { crontab } = value
  if (typeof crontab !== 'object' || crontab === null || 'timezone' in crontab) return value
  return { ...value, crontab: { ...crontab, timezone } }
}

const fromJson = async (text: string): Promise<unknown> => {
  const read = await readStrictJson(text)
  if (read.ok) return read.value
  const { path, message } = read.fault
  throw invalidValue(
    `The schedule is not JSON as it should be: ${path === '' ? message : `${path} ${message}`}`,
  )
}

const fromLine = (line: string, { timezone, seconds = false }: ScheduleTextOptions): ScheduleValue => {
  const read = parseCrontabLine(line)
  if (!read.ok) throw fail(`"${line}" is not a valid crontab line.`, read.error)
  if ((read.value.second !== undefined) !== seconds && !line.startsWith('@')) {
    throw invalidValue(`"${line}" has ${seconds ? 'no field for the seconds' : 'six fields'}.`, {
      hint: seconds
        ? 'With --seconds the line has six fields, the first is the second: 30 0 2 * * mon'
        : 'Give --seconds when the first field is the second; there is no field for the year.',
    })
  }
  return { crontab: { ...read.value, timezone: read.value.timezone ?? timezone ?? 'UTC' } }
}

/**
 * A schedule as people type it: JSON of any kind (`{"interval": {"every": 30, "period": "minutes"}}`), or a crontab
 * line (`0 2 * * mon`, `@daily`, `TZ=Europe/Paris 0 9 * * *`, with `seconds` six fields). Throws `invalidValue` with
 * the fields that are wrong.
 */
export const readSchedule = async (
  text: string,
  options: ScheduleTextOptions = {},
): Promise<ScheduleValue> => {
  const trimmed = text.trim()
  const value = trimmed.startsWith('{')
    ? withZone(await fromJson(trimmed), options.timezone)
    : fromLine(trimmed, options)
  const checked = validateSchedule(value, '')
  if (checked.ok) return checked.value
  throw fail('The schedule is not valid.', checked.error)
}

/** The same, or `{"ref": "name"}` for a shared schedule, which the server checks. */
export const readTaskSchedule = async (text: string, options: ScheduleTextOptions = {}): Promise<unknown> => {
  if (!text.trim().startsWith('{')) return readSchedule(text, options)
  const value = await fromJson(text)
  return typeof value === 'object' && value !== null && 'ref' in value ? value : readSchedule(text, options)
}

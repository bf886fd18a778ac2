import { type Problem, zone } from '@almanac/recurrence'
import {
  type ForecastSettings,
  forecastDefaults,
  maxNodes,
  maxOutages,
  type Outage,
  readCheck,
  readChecks,
  readDuration,
  readOutage,
  type WrittenCheck,
} from '@almanac/simulator/forecast'
import { invalidValue, usage } from '../failure.js'
import type { ServerOptions, Session } from '../session.js'

/** As the command line gives them. */
export interface SimulateOptions extends ServerOptions {
  readonly nodes: string
  readonly partitions: string
  readonly seed: string
  readonly from: string
  readonly for: string
  readonly to?: string
  readonly timezone: string
  readonly outages: string
  readonly outageMinutes?: string
  readonly blackouts: string
  readonly blackoutMinutes: string
  readonly down?: readonly string[]
  readonly runSeconds: string
  readonly assert?: readonly string[]
  readonly assertFile?: readonly string[]
  readonly page?: string
  readonly by: string
}

const whole = (option: string, text: string, least: number, most: number): number => {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw usage(`${option} must be a whole number from ${least} to ${most}, not "${text}".`)
}

/** A number of minutes or seconds, fractions allowed, in milliseconds. */
const span = (option: string, text: string, unitMs: number, least: number, most: number): number => {
  const value = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && value >= least && value <= most) return Math.round(value * unitMs)
  throw usage(`${option} must be a number from ${least} to ${most}, not "${text}".`)
}

const minuteMs = 60_000
const yearMs = 365 * 24 * 60 * minuteMs
const maxYears = 100

const timeOf = (session: Session, options: SimulateOptions): { from: number; to: number } => {
  const from = session.instant('--from', options.from)
  const length = readDuration(options.for)
  if (length === undefined || length === 0) {
    throw usage(`--for "${options.for}" is no duration.`, 'Give something like 90min, 24h, 30d, 2w or 1y.')
  }
  const to = options.to === undefined ? from + length : session.instant('--to', options.to)
  if (to <= from) throw usage('--to must be later than --from.')
  if (to - from > maxYears * yearMs) throw usage(`At most ${maxYears} years can be simulated.`)
  if (from < 0) throw usage('--from must be 1970 or later.')
  return { from, to }
}

const outagesOf = (texts: readonly string[], nodes: number): readonly Outage[] => {
  const problems: Problem[] = []
  const outages = texts.flatMap((text) => {
    const read = readOutage(text, nodes, `--down ${text}`)
    if (read.ok) return [read.value]
    problems.push(...read.error)
    return []
  })
  if (problems.length > 0) throw invalidValue('An outage cannot be read.', { problems })
  return outages
}

export const settingsOf = (session: Session, options: SimulateOptions): ForecastSettings => {
  const nodes = whole('--nodes', options.nodes, 1, maxNodes)
  const at = zone(options.timezone)
  if (at === undefined) {
    throw usage(
      `--timezone "${options.timezone}" is not a time zone.`,
      'Give an IANA name such as Europe/Berlin.',
    )
  }
  const { outageMinutes } = options
  return {
    ...forecastDefaults,
    ...timeOf(session, options),
    nodes,
    partitions: whole('--partitions', options.partitions, 1, 256),
    seed: whole('--seed', options.seed, 0, 2 ** 32 - 1),
    timezone: at.name,
    outages: whole('--outages', options.outages, 0, maxOutages),
    outageMs:
      outageMinutes === undefined ? null : span('--outage-minutes', outageMinutes, minuteMs, 0.01, 525_600),
    blackouts: whole('--blackouts', options.blackouts, 0, maxOutages),
    blackoutMs: span('--blackout-minutes', options.blackoutMinutes, minuteMs, 0.01, 525_600),
    down: outagesOf(options.down ?? [], nodes),
    runMs: span('--run-seconds', options.runSeconds, 1_000, 0, 31_536_000),
  }
}

export const stackedBy = ({ by }: SimulateOptions): 'node' | 'queue' => {
  if (by === 'node' || by === 'queue') return by
  throw usage(`--by must be node or queue, not "${by}".`)
}

/** The checks of the command line, then those of the files; all that cannot be read is told at once. */
export const checksOf = async (
  session: Session,
  options: SimulateOptions,
): Promise<readonly WrittenCheck[]> => {
  const checks: WrittenCheck[] = []
  const problems: Problem[] = []
  for (const text of options.assert ?? []) {
    const read = readCheck(text, `--assert '${text}'`)
    if (read.ok) checks.push(read.value)
    else problems.push(...read.error)
  }
  for (const file of options.assertFile ?? []) {
    const read = readChecks(await session.world.readText(file), file)
    if (read.ok) checks.push(...read.value)
    else problems.push(...read.error)
  }
  if (problems.length > 0) {
    throw invalidValue('A check cannot be read; the number after the colon is the column.', {
      problems,
      hint: 'almanac simulate --help shows the forms that a check can have.',
    })
  }
  return checks
}

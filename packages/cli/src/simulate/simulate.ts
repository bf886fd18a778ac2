import {
  busiestTasks,
  type Catalog,
  expectedRuns,
  type Forecast,
  type ForecastSettings,
  forecast,
  maxForecastRuns,
  readCatalog,
  type WrittenCheck,
} from '@almanac/simulator/forecast'
import { Ended, exitCodes, refused } from '../failure.js'
import { progressBar } from '../output/progress.js'
import { counted } from '../output/text.js'
import { Session } from '../session.js'
import type { World } from '../world.js'
import { readInput, readServer } from './input.js'
import { forecastJson } from './json.js'
import { checksOf, type SimulateOptions, settingsOf, stackedBy } from './options.js'
import { printForecast } from './print.js'

const catalogOf = async (session: Session, file: string | undefined, from: number): Promise<Catalog> => {
  const input =
    file === undefined
      ? { raw: await readServer(session), leftOut: [] }
      : await readInput(session, file, from)
  const read = readCatalog(input.raw, from)
  if (!read.ok) {
    throw refused(`${file ?? 'What the server has'} cannot be simulated as it is.`, {
      code: 'invalid',
      problems: read.error.slice(0, 50),
      ...(read.error.some(({ code }) => code === 'unknown_schedule' || code === 'unknown_calendar')
        ? { hint: '`almanac tasks export` writes shared schedules and calendars together with the tasks.' }
        : {}),
    })
  }
  return { tasks: read.value.tasks, leftOut: [...input.leftOut, ...read.value.leftOut] }
}

/** Nobody waits for ever: tells at once which tasks make it so long. */
const checkSize = (catalog: Catalog, settings: ForecastSettings): number => {
  const runs = expectedRuns(catalog, settings)
  if (runs <= maxForecastRuns) return runs
  throw refused(
    `That would be about ${counted(runs, 'run')}; at most ${counted(maxForecastRuns, 'run')} are simulated.`,
    {
      problems: busiestTasks(catalog, settings, 3).map(({ name, runs: own }) => ({
        path: `"${name}"`,
        message: `about ${counted(own, 'run')}`,
      })),
      hint: 'A shorter time (--for 7d) or fewer tasks help.',
    },
  )
}

/** A bar is worth it from so many runs on. */
const shortRuns = 500_000

const play = async (
  world: World,
  catalog: Catalog,
  settings: ForecastSettings,
  checks: readonly WrittenCheck[],
): Promise<{ played: Forecast; elapsedMs: number }> => {
  const expected = checkSize(catalog, settings)
  const bar = await progressBar(world.err, 'runs', shortRuns)
  const started = world.clock.elapsed()
  try {
    const played = forecast(catalog, settings, checks, ({ runs }) =>
      bar.at(Math.min(runs, expected), expected),
    )
    return { played, elapsedMs: world.clock.elapsed() - started }
  } finally {
    bar.end()
  }
}

/** Plays the schedules on a virtual cluster, tells what came of it, and ends with 1 when a check does not hold. */
export const simulate = async (
  world: World,
  file: string | undefined,
  options: SimulateOptions,
): Promise<void> => {
  const session = new Session(world, options)
  const settings = settingsOf(session, options)
  const by = stackedBy(options)
  const checks = await checksOf(session, options)
  const catalog = await catalogOf(session, file, settings.from)
  if (catalog.tasks.length === 0 && catalog.leftOut.length === 0)
    throw refused('There are no tasks to simulate.')
  const { played, elapsedMs } = await play(world, catalog, settings, checks)
  if (options.page !== undefined) {
    const { forecastPage } = await import('@almanac/simulator/forecast')
    await world.writeText(
      options.page,
      forecastPage(played, { by, source: file ?? session.server.address.url }),
    )
  }
  if (session.json) session.document(forecastJson(played))
  else printForecast(session, played, elapsedMs)
  if (options.page !== undefined) session.notice(`The page is in ${options.page}`)
  if (played.checks.some(({ passed }) => !passed)) throw new Ended(exitCodes.refused)
}

import { readCatalog } from './catalog.js'
import { readCheck } from './checks/read.js'
import { type Forecast, forecast } from './forecast.js'
import { type ForecastSettings, forecastDefaults } from './settings.js'

export const at = (iso: string): number => Date.parse(iso)

/** A task as it is posted; `name` and `task` are filled in. */
export const posted = (schedule: unknown, rest: Readonly<Record<string, unknown>> = {}) => ({
  name: 'tick',
  task: 'app.tick',
  schedule,
  ...rest,
})

export const crontab = (expression: string, timezone = 'UTC') => ({ crontab: { expression, timezone } })
export const everyMinute = { interval: { every: 1, period: 'minutes' } }

export const settings = (
  from: string,
  to: string,
  rest: Partial<ForecastSettings> = {},
): ForecastSettings => ({
  ...forecastDefaults,
  from: at(from),
  to: at(to),
  // Takeovers without chance can be counted by hand.
  renewEveryMs: 0,
  ...rest,
})

/** Plays posted tasks; the checks are texts. Throws when something cannot be read. */
export function play(
  tasks: readonly unknown[],
  played: ForecastSettings,
  checks: readonly string[] = [],
  schedules: readonly unknown[] = [],
): Forecast {
  const catalog = readCatalog({ tasks, schedules, calendars: [] }, played.from)
  if (!catalog.ok) throw new Error(JSON.stringify(catalog.error))
  const read = checks.map((text) => {
    const check = readCheck(text, 'check')
    if (!check.ok) throw new Error(JSON.stringify(check.error))
    return check.value
  })
  return forecast(catalog.value, played, read)
}

import type { FaultName } from './faults/nemesis.js'
import { runSeed, type SeedOptions, type SeedReport } from './run.js'

/** A failing seed made smaller, with what still fails. */
export interface Shrunk {
  readonly options: SeedOptions
  readonly report: SeedReport
  /** Runs that it took. */
  readonly tries: number
}

/**
 * Leaves out one kind of fault after the other, and shortens the phase with faults, as long as the same rule is
 * broken; at most `maxTries` runs. What is left shows what matters.
 */
export async function shrink(report: SeedReport, options: SeedOptions = {}, maxTries = 40): Promise<Shrunk> {
  const rule = report.findings[0]?.rule
  let best: Shrunk = { options, report, tries: 0 }
  let tries = 0
  const attempt = async (changed: SeedOptions): Promise<boolean> => {
    if (tries >= maxTries) return false
    tries += 1
    const again = await runSeed(report.seed, changed)
    if (!again.findings.some((finding) => finding.rule === rule)) return false
    best = { options: changed, report: again, tries }
    return true
  }
  const spanOf = ({ spanMs }: SeedOptions): number => spanMs ?? report.faultMs
  while (spanOf(best.options) > shortestMs) {
    if (!(await attempt({ ...best.options, spanMs: Math.ceil(spanOf(best.options) / 2) }))) break
  }
  for (const name of report.faults.keys()) await attempt(withoutToo(best.options, name))
  return { ...best, tries }
}

const withoutToo = (options: SeedOptions, name: FaultName): SeedOptions => ({
  ...options,
  without: [...(options.without ?? []), name],
})

const shortestMs = 10_000

/** The command that runs the seed again in the same way. */
export function replayCommand(seed: number, options: SeedOptions = {}): string {
  const { only, without, schedulers, apis, partitions, tasks, spanMs } = options
  const flags: readonly (readonly [string, string | number | undefined])[] = [
    ['only', only?.join(',')],
    ['without', without?.join(',')],
    ['schedulers', schedulers],
    ['apis', apis],
    ['partitions', partitions],
    ['tasks', tasks],
    ['span', spanMs],
  ]
  const given = flags.filter(([, value]) => value !== undefined && value !== '')
  return ['npm run simulate -- --seed', seed, ...given.map(([name, value]) => `--${name} ${value}`)].join(' ')
}

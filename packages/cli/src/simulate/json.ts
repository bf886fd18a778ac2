import type { Forecast } from '@almanac/simulator/forecast'

const iso = (instant: number | null) => (instant === null ? null : new Date(instant).toISOString())

/** A forecast as `--json` prints it: instants in ISO 8601, durations in milliseconds. */
export const forecastJson = (played: Forecast) => {
  const { settings, load } = played
  const { from, to, seed, nodes, partitions, timezone } = settings
  return {
    from: iso(from),
    to: iso(to),
    seed,
    cluster: { nodes, partitions },
    timezone,
    digest: played.digest,
    totals: played.totals,
    nodes: played.nodes,
    tasks: played.tasks.map((task) => ({
      ...task,
      first: iso(task.first),
      last: iso(task.last),
      longestGapFrom: iso(task.longestGapFrom),
    })),
    leftOut: played.leftOut,
    outages: played.outages.map((outage) => ({
      ...outage,
      from: iso(outage.from),
      until: iso(outage.until),
    })),
    load: {
      ...load,
      buckets: load.buckets.map((bucket) => ({
        ...bucket,
        from: iso(bucket.from),
        until: iso(bucket.until),
      })),
      busiestSeconds: load.busiestSeconds.map(({ at, runs }) => ({ at: iso(at), runs })),
      busiestMinutes: load.busiestMinutes.map(({ at, runs }) => ({ at: iso(at), runs })),
    },
    assertions: played.checks.map(({ first, ...check }) => ({
      ...check,
      first: first.map(({ at, ...violation }) => ({ at: iso(at), ...violation })),
    })),
  }
}

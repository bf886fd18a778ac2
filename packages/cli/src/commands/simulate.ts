import type { Command } from 'commander'
import { withServerOptions } from '../session.js'
import type { SimulateOptions } from '../simulate/options.js'
import type { World } from '../world.js'

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

export const addSimulate = (program: Command, world: World): void => {
  withServerOptions(
    program
      .command('simulate')
      .description(
        'what a cluster would do with your schedules: a year in seconds, with checks and a picture',
      )
      .argument(
        '[file]',
        'tasks as JSON, JSON lines, or a django-celery-beat fixture; left out: those of the server',
      )
      .option('--nodes <n>', 'scheduler nodes, 1 to 64', '3')
      .option('--partitions <n>', 'partitions of the cluster, 1 to 256', '64')
      .option('--seed <n>', 'outages are drawn from it', '1')
      .option('--from <instant>', 'first instant: ISO 8601, a date, now, +1d', 'now')
      .option('--for <duration>', 'how long: 90min, 24h, 30d, 1y (365 days)', '1y')
      .option('--to <instant>', 'or until when')
      .option('-z, --timezone <zone>', 'zone of the days, hours and instants shown', 'UTC')
      .option('--outages <n>', 'so many times a node is gone, at drawn times', '0')
      .option('--outage-minutes <m>', 'for so long each (drawn: half a minute to 20 minutes)')
      .option('--blackouts <n>', 'so many times the whole cluster is gone, at drawn times', '0')
      .option('--blackout-minutes <m>', 'for so long each', '30')
      .option('--down <outage>', 'node-2@2027-03-28T01:55:00Z/10min, or all@...; repeat for more', collect)
      .option('--run-seconds <s>', 'how long a run keeps its task busy, for overlap policies', '5')
      .option('--assert <check>', 'fails with exit code 1 unless it holds; repeat for more', collect)
      .option('--assert-file <file>', 'checks from a file, one a line, # begins a comment', collect)
      .option('--page <file>', 'write a page with pictures of the load (HTML)')
      .option('--by <what>', 'stack the bars of the page by node or queue', 'queue'),
  )
    .addHelpText(
      'after',
      `
Checks:
  no run of report-* between 02:00 and 03:00 Europe/Warsaw on mon-fri      no run of "nightly" skipped
  at most 100 runs [of queue:mail] in any 1min       at least 1 run of backup per day Europe/Warsaw
  every run of team=billing within 30s of its time   no gap of more than 2h between runs of heartbeat
  no two runs of backup and vacuum within 10min
A pattern is a name with * for anything, "quoted" when it has blanks, a label key=value, or queue:name.

Examples:
  almanac simulate --from 2027-01-01 --assert 'at most 500 runs in any 1s'
  almanac simulate beat.json --for 30d --outages 5 --seed 7 --page load.html
  almanac simulate tasks.json --down all@2027-03-28T00:30:00Z/2h --assert-file checks.txt`,
    )
    .action(async (file: string | undefined, options: SimulateOptions) =>
      (await import('../simulate/simulate.js')).simulate(world, file, options),
    )
}

import type { Command } from 'commander'
import { type ServerOptions, withServerOptions } from '../session.js'
import type { World } from '../world.js'
import type { RunListOptions } from './runs-list.js'

export const addRuns = (program: Command, world: World): void => {
  const runs = program.command('runs').description('what ran, what is running, what waits')
  withServerOptions(
    runs
      .command('list')
      .alias('ls')
      .description('runs, newest first; --follow prints each new one as it comes')
      .option('-f, --follow', 'go on: print each new run once, until Ctrl-C')
      .option('-t, --task <name>', 'of this task: its name, else its id')
      .option('-s, --status <status>', 'queued, running, succeeded, failed, expired or cancelled')
      .option('-q, --queue <queue>', 'in this queue')
      .option('-k, --kind <kind>', 'scheduled, manual, backfill or catchUp')
      .option('--from <instant>', 'scheduled at or after it: ISO 8601, a date, now, -2h')
      .option('--to <instant>', 'scheduled before it')
      .option('-l, --limit <n>', 'how many (50; with --follow the 10 before the new ones)')
      .option('-a, --all', 'all of them'),
  )
    .addHelpText(
      'after',
      `
Examples:
  almanac runs list --follow
  almanac runs list --task "Daily backup at 2 AM" --status failed --from -7d
  almanac runs list --follow --json | jq .runId          # one JSON object a line`,
    )
    .action(async (options: RunListOptions) => (await import('./runs-list.js')).listRuns(world, options))
  withServerOptions(
    runs.command('show').description('one run with everything about it').argument('<run id>'),
  ).action(async (runId: string, options: ServerOptions) =>
    (await import('./runs-list.js')).showRun(world, runId, options),
  )
}

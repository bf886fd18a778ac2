import type { Command } from 'commander'
import { withServerOptions } from '../session.js'
import type { World } from '../world.js'
import type { SyncOptions } from './sync-run.js'

const withFiles = (command: Command): Command =>
  withServerOptions(
    command
      .option('-f, --file <path...>', 'YAML or JSON files, or folders of them')
      .option('--adopt', 'also take over what is there already by these names and of no set')
      .option('--keep-drift', 'leave what others have changed since as it is')
      .option('--prune', 'delete what the set has made and its files have no longer')
      .option('--max-delete <n>', 'delete no more than so many; when there are more, do nothing')
      .option('--horizon <duration>', 'how far runs are looked ahead: a distance such as +24h', '+24h'),
  )

const help = `
Only fields that a file has are the set's: what others set beside them, such as a pause, stays.

Examples:
  almanac plan -f schedules/
  almanac plan -f schedules/ --check           # ends with 4 when there is something to do
  almanac apply -f schedules/ --prune -r "release 7"
  almanac plan --schema > sync.schema.json     # for editors`

/** Schedules that are kept in files: what has to be done so that the server has what they say, and doing it. */
export const addSync = (program: Command, world: World): void => {
  withFiles(
    program
      .command('plan')
      .description('what `almanac apply` would do with these files, and who has changed what they own')
      .option('--check', 'end with 4 when there is something to do')
      .option('--schema', 'print the JSON Schema of the files, and ask no server'),
  )
    .addHelpText('after', help)
    .action(async (options: SyncOptions) => (await import('./sync-run.js')).planSync(world, options))
  withFiles(
    program
      .command('apply')
      .description('make the server have what these files say')
      .option('-r, --reason <text>', 'why; kept in the history'),
  )
    .addHelpText('after', help)
    .action(async (options: SyncOptions) => (await import('./sync-run.js')).applySync(world, options))
}

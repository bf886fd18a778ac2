import type { Command } from 'commander'
import type { HistoryCheckOptions } from '../history/check.js'
import type { World } from '../world.js'

export const addHistory = (program: Command, world: World): void => {
  const history = program.command('history').description('what a cluster did, as it was seen from outside')
  history
    .command('check')
    .description('judge a recorded history: was anything lost, doubled, early, or decided wrongly?')
    .argument('<file>', 'the records, as JSON lines')
    .option('--page <file>', 'write a page for people (HTML)')
    .option('--json', 'print JSON for machines')
    .addHelpText(
      'after',
      `
Ends with 0 when nothing is wrong, with 1 when something is, and with 2 when the file is no history.

Examples:
  almanac history check chaos.jsonl
  almanac history check chaos.jsonl --page chaos.html
  almanac history check chaos.jsonl --json`,
    )
    .action(async (file: string, options: HistoryCheckOptions) =>
      (await import('../history/check.js')).check(world, file, options),
    )
}

import type { Command } from 'commander'
import type { HistoryCheckOptions } from '../history/check.js'
import { withServerOptions } from '../session.js'
import type { World } from '../world.js'
import type { HistoryListOptions } from './history-list.js'
import type { UndoRequestOptions } from './history-undo.js'

export const addHistory = (program: Command, world: World): void => {
  const history = program
    .command('history')
    .description('who changed what, and whether a cluster did what it should')
  withServerOptions(
    history
      .command('list')
      .description('who changed what in a namespace, oldest first')
      .option('--actor <name>', 'by this one alone')
      .option('--kind <kind>', 'task, schedule, calendar, key or cluster')
      .option('--task <name>', 'of this task alone: its name, else its id')
      .option('--from <instant>', 'from here: ISO 8601, a date, now, -2h', '-24h')
      .option('--to <instant>', 'up to here')
      .option('--limit <n>', 'at most so many (1000)'),
  )
    .addHelpText('after', '\nExample:\n  almanac history list --from -7d --actor "key ci"')
    .action(async (options: HistoryListOptions) =>
      (await import('./history-list.js')).listHistory(world, options),
    )
  withServerOptions(
    history
      .command('undo')
      .description('take back all that one request did, by new changes')
      .argument('<correlation-id>', 'of its events, as `almanac history list --json` shows it')
      .option('--dry-run', 'only show what it would set, and what stands in its way')
      .option('--force', 'also fields that were changed again since')
      .option('-r, --reason <text>', 'why; kept in the history'),
  ).action(async (correlationId: string, options: UndoRequestOptions) =>
    (await import('./history-undo.js')).undoRequest(world, correlationId, options),
  )
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

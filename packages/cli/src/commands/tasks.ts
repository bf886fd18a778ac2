import type { Command } from 'commander'
import { type ServerOptions, withServerOptions } from '../session.js'
import type { World } from '../world.js'
import type { BackfillOptions } from './tasks-backfill.js'
import type { BulkOptions } from './tasks-bulk.js'
import type { CancelOptions, MoveOptions } from './tasks-cancel.js'
import type { ChangeOptions, TaskVerb } from './tasks-change.js'
import type { CreateOptions } from './tasks-create.js'
import type { ExportOptions } from './tasks-export.js'
import type { TaskListOptions } from './tasks-list.js'
import type { UndoOptions } from './tasks-undo.js'
import type { WhyOptions } from './tasks-why.js'

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

const addList = (tasks: Command, world: World) =>
  withServerOptions(
    tasks
      .command('list')
      .alias('ls')
      .description('tasks by name')
      .option('--enabled', 'only those that are enabled')
      .option('--disabled', 'only those that are not')
      .option('--quarantined', 'only those that cannot be planned')
      .option('-t, --task <task>', 'that run this task')
      .option('--queue <queue>', 'of this queue')
      .option('-l, --label <key=value>', 'with this label, or `key` alone; repeat for more', collect)
      .option('-k, --schedule-kind <kind>', 'interval, crontab, solar, clocked, union, except or ref')
      .option('--schedule <name>', 'that use this shared schedule')
      .option('-q, --q <text>', 'with this text in name, task or description')
      .option(
        '--sort <key>',
        'name, createdAt or dateChanged; with - in front the newest first: --sort=-dateChanged',
      )
      .option('--as-of <when>', 'as it was at this instant (ISO 8601, -2h) or event position (digits)')
      .option('--limit <n>', 'how many (100)')
      .option('-a, --all', 'all of them'),
  )
    .addHelpText(
      'after',
      `
Examples:
  almanac tasks list --enabled --queue backup_queue
  almanac tasks list -q backup --as-of -1d               # as it was yesterday
  almanac tasks list --all --json | jq '.items[].name'`,
    )
    .action(async (options: TaskListOptions) => (await import('./tasks-list.js')).listTasks(world, options))

const addExport = (tasks: Command, world: World) =>
  withServerOptions(
    tasks
      .command('export')
      .description('all tasks with the schedules and calendars they share, as JSON for almanac simulate')
      .option('--lines', 'as lines that `almanac import lines` takes in')
      .option('--as-of <instant>', 'with --lines: as they were at an instant or event position'),
  )
    .addHelpText('after', '\nExample:\n  almanac tasks export > tasks.json && almanac simulate tasks.json')
    .action(async (options: ExportOptions) => (await import('./tasks-export.js')).exportTasks(world, options))

const addReads = (tasks: Command, world: World) => {
  withServerOptions(
    tasks
      .command('show')
      .description('everything about one task')
      .argument('<name>', 'its name, else its id'),
  ).action(async (name: string, options: ServerOptions) =>
    (await import('./tasks-show.js')).showTask(world, name, options),
  )
  withServerOptions(
    tasks
      .command('history')
      .description('who changed what, when and why')
      .argument('<name>', 'its name, else its id'),
  ).action(async (name: string, options: ServerOptions) =>
    (await import('./tasks-history.js')).historyOfTask(world, name, options),
  )
  withServerOptions(
    tasks
      .command('next')
      .description('the coming occurrences')
      .argument('<name>', 'its name, else its id')
      .option('-c, --count <n>', 'how many (10)'),
  ).action(async (name: string, options: ServerOptions) =>
    (await import('./tasks-show.js')).nextOfTask(world, name, options),
  )
  withServerOptions(
    tasks
      .command('why')
      .description('each past occurrence and what became of it')
      .argument('<name>', 'its name, else its id')
      .option('--from <instant>', 'from here: ISO 8601, a date, now, -2h', '-24h')
      .option('--to <instant>', 'up to here', 'now'),
  )
    .addHelpText('after', '\nExample:\n  almanac tasks why "Daily backup at 2 AM" --from -7d')
    .action(async (name: string, options: WhyOptions) =>
      (await import('./tasks-why.js')).whyTask(world, name, options),
    )
}

const addSchedule = (command: Command) =>
  command
    .requiredOption('--name <name>', 'unique in the namespace')
    .requiredOption('-t, --task <task>', 'what to run: the name that workers know it by')
    .requiredOption(
      '-s, --schedule <schedule>',
      'a crontab line, or the JSON of any schedule or {"ref": "name"}',
    )
    .option('-z, --timezone <zone>', 'zone of a crontab that names none (UTC)')
    .option('--seconds', 'the crontab line has six fields, the first is the second')

const addCreate = (tasks: Command, world: World) =>
  withServerOptions(
    addSchedule(tasks.command('create').description('a new task'))
      .option('--args <json>', 'positional arguments: a JSON list')
      .option('--kwargs <json>', 'named arguments: a JSON object')
      .option('--headers <json>', 'message headers of your own: a JSON object')
      .option('-q, --queue <queue>', 'queue of its runs (default)')
      .option('--exchange <name>', 'exchange to route by, in place of a queue')
      .option('--routing-key <key>', 'routing key')
      .option('--priority <n>', '0 to 255, higher goes first')
      .option('--expires <instant>', 'the schedule ends here: ISO 8601, a date, +30d')
      .option('--expire-seconds <n>', 'life of each run, from its emission')
      .option('--one-off', 'run once, then disable')
      .option('--max-runs <n>', 'run so many times, then disable')
      .option('--start-time <instant>', 'no occurrence before it; an interval counts from it')
      .option('--disabled', 'create it disabled')
      .option('--description <text>', 'for people')
      .option('-l, --label <key=value>', 'a label; repeat for more', collect)
      .option('--catch-up <policy>', 'missed occurrences: latest, all or none (latest)')
      .option('--overlap <policy>', 'allow, skip, queueOne or cancelRunning (allow)')
      .option('--jitter <seconds>', 'spread its dispatch over so long')
      .option('--max-attempts <n>', 'how often a failed run is tried in all (1)')
      .option('--if-missing', 'leave an existing task of that name as it is')
      .option('--replace', 'replace an existing task of that name')
      .option('--reason <text>', 'why; kept in the history'),
  )
    .addHelpText(
      'after',
      `
Examples:
  almanac tasks create --name "Daily backup" --task app.backup --schedule "0 2 * * *" --queue backup
  almanac tasks create --name "Poll" --task app.poll --schedule '{"interval": {"every": 30, "period": "minutes"}}'
  almanac tasks create --name "Greet" --task app.greet --one-off \\
      --schedule '{"clocked": {"at": "2027-01-01T00:00:00Z"}}' --args '["新年"]'`,
    )
    .action(async (options: CreateOptions) => (await import('./tasks-create.js')).createTask(world, options))

const verbs: readonly (readonly [TaskVerb, string])[] = [
  ['enable', 'its next run is its next normal occurrence'],
  ['disable', 'no occurrence runs until it is enabled'],
  ['trigger', 'run it now, whatever its schedule says'],
  ['reset-history', 'count its runs from now on'],
  ['delete', 'its history stays'],
]

const addCancel = (tasks: Command, world: World) =>
  withServerOptions(
    tasks
      .command('cancel')
      .description('one coming occurrence does not run')
      .argument('<name>', 'its name, else its id')
      .argument('<instant>', 'of the occurrence, as `almanac tasks next` shows it')
      .option('--restore', 'let a cancelled one run after all')
      .option('-r, --reason <text>', 'why; kept in the history'),
  ).action(async (name: string, instant: string, options: CancelOptions) =>
    (await import('./tasks-cancel.js')).cancelOccurrence(world, name, instant, options),
  )

const addMove = (tasks: Command, world: World) =>
  withServerOptions(
    tasks
      .command('move')
      .description('one coming occurrence is at another time')
      .argument('<name>', 'its name, else its id')
      .argument('<instant>', 'of the occurrence, as `almanac tasks next` shows it')
      .requiredOption('--to <instant>', 'when it is instead: ISO 8601, +2h')
      .option('-r, --reason <text>', 'why; kept in the history'),
  ).action(async (name: string, instant: string, options: MoveOptions) =>
    (await import('./tasks-cancel.js')).moveOccurrence(world, name, instant, options),
  )

const addBackfill = (tasks: Command, world: World) =>
  withServerOptions(
    tasks
      .command('backfill')
      .description('run past occurrences again, or for the first time')
      .argument('<name>', 'its name, else its id')
      .requiredOption('--from <instant>', 'the first, inclusive: ISO 8601, a date, -7d')
      .requiredOption('--until <instant>', 'the last, inclusive')
      .option('--max <n>', 'at most so many, 1 to 1000 (100)')
      .option('--newest-first', 'the newest of them, and in that order')
      .option('--rate <n>', 'bit by bit, so many a minute; --max is without a limit then')
      .option('-y, --yes', 'do it; without it only what would be done is shown')
      .option('-r, --reason <text>', 'why; kept in the history'),
  ).action(async (name: string, options: BackfillOptions) =>
    (await import('./tasks-backfill.js')).backfillTask(world, name, options),
  )

const addUndo = (tasks: Command, world: World) =>
  withServerOptions(
    tasks
      .command('undo')
      .description('take a change back, by a new one')
      .argument('<name>', 'its name, else its id; a deleted task by its id')
      .argument('<revision>', 'of the change, as `almanac tasks history` shows it')
      .option('--dry-run', 'only show what it would set, and what stands in its way')
      .option('--force', 'also fields that were changed again since')
      .option('-r, --reason <text>', 'why; kept in the history'),
  ).action(async (name: string, revision: string, options: UndoOptions) =>
    (await import('./tasks-undo.js')).undoTask(world, name, revision, options),
  )

const addBulk = (tasks: Command, world: World) =>
  withServerOptions(
    tasks
      .command('bulk')
      .description('enable, disable, trigger, delete or patch all tasks that match')
      .argument('<operation>', 'enable, disable, trigger, delete or patch')
      .option('-l, --label <key[=value]>', 'with this label; repeat for more, all must hold', collect)
      .option('--queue <name>', 'of this queue')
      .option('--task <task>', 'of this task')
      .option('-q, --query <text>', 'anywhere in name, task or description')
      .option('--schedule-kind <kind>', 'interval, crontab, solar, clocked, union, except or ref')
      .option('--all', 'every task of the namespace')
      .option('--set <json>', 'patch: what is changed, as a merge patch')
      .option('--until <instant>', 'disable: only until then')
      .option('-y, --yes', 'do it; without it only what would be done is shown')
      .option('-r, --reason <text>', 'why; kept in the history'),
  )
    .addHelpText(
      'after',
      '\nExample:\n  almanac tasks bulk disable --label team=data --until +2h --reason "maintenance" --yes',
    )
    .action(async (operation: string, options: BulkOptions) =>
      (await import('./tasks-bulk.js')).bulkTasks(world, operation, options),
    )

const addChanges = (tasks: Command, world: World) => {
  for (const [verb, description] of verbs) {
    const command = tasks.command(verb).description(description)
    if (verb === 'disable')
      command.option(
        '--until <instant>',
        'only until then (+2h, 2027-01-01T00:00:00Z); then it goes on by itself',
      )
    withServerOptions(
      command
        .argument('<names...>', 'names, else ids')
        .option('-r, --reason <text>', 'why; kept in the history'),
    ).action(async (names: readonly string[], options: ChangeOptions) =>
      (await import('./tasks-change.js')).changeTasks(world, verb, names, options),
    )
  }
}

export const addTasks = (program: Command, world: World): void => {
  const tasks = program.command('tasks').description('what runs, when, and who changed it')
  addList(tasks, world)
  addExport(tasks, world)
  addReads(tasks, world)
  addCreate(tasks, world)
  addChanges(tasks, world)
  addUndo(tasks, world)
  addCancel(tasks, world)
  addMove(tasks, world)
  addBackfill(tasks, world)
  addBulk(tasks, world)
}

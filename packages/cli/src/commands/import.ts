import type { Command } from 'commander'
import { withServerOptions } from '../session.js'
import type { World } from '../world.js'
import type { ImportOptions } from './import-celery.js'
import type { ImportLinesOptions } from './import-lines.js'

export const addImport = (program: Command, world: World): void => {
  const group = program
    .command('import')
    .description('take tasks over from another scheduler, or from an export')
  withServerOptions(
    group
      .command('celery')
      .description('tasks of django-celery-beat, from a `dumpdata` fixture')
      .argument('<file>', 'made with: python manage.py dumpdata django_celery_beat --output tasks.json')
      .option('--dry-run', 'only tell what would become of each row')
      .option('--on-conflict <policy>', 'a task of that name exists: skip, replace or fail', 'skip'),
  )
    .addHelpText(
      'after',
      `
Every row is told of: created, exists, replaced or refused with the reason. Shared schedule rows become values
inside the tasks; run counts and the rhythm of intervals come along. Running it again makes nothing twice.

Examples:
  almanac import celery tasks.json --dry-run
  almanac import celery tasks.json --on-conflict replace --json > report.json`,
    )
    .action(async (file: string, options: ImportOptions) =>
      (await import('./import-celery.js')).importCelery(world, file, options),
    )
  withServerOptions(
    group
      .command('lines')
      .description('what `almanac tasks export --lines` gave out')
      .argument('<file>', 'lines of JSON')
      .option(
        '--mode <mode>',
        'names that exist: put (as the line says), ensure (leave) or create (refuse)',
        'put',
      )
      .option('-r, --reason <text>', 'why; kept in the history'),
  )
    .addHelpText(
      'after',
      '\nExample:\n  almanac tasks export --lines > tasks.ndjson && almanac import lines tasks.ndjson -n copy',
    )
    .action(async (file: string, options: ImportLinesOptions) =>
      (await import('./import-lines.js')).importLines(world, file, options),
    )
}

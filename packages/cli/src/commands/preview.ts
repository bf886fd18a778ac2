import type { Command } from 'commander'
import type { World } from '../world.js'
import type { PreviewOptions } from './preview-schedule.js'

export const addPreview = (program: Command, world: World): void => {
  program
    .command('preview')
    .description('when a schedule fires, worked out here without a server')
    .argument('<schedule>', 'a crontab line such as "0 2 * * mon" or @daily, or the JSON of any schedule')
    .option('-c, --count <n>', `how many instants, 1 to 1000`, '10')
    .option('--from <instant>', 'list those after it: ISO 8601, a date, now, -2h, +1d', 'now')
    .option('-z, --timezone <zone>', 'zone of a crontab that names none, and of the local times shown')
    .option('--seconds', 'the crontab line has six fields, the first is the second')
    .option('--json', 'print JSON for machines')
    .addHelpText(
      'after',
      `
Examples:
  almanac preview "0 2 * * mon"
  almanac preview "*/15 8-17 * * mon-fri" --timezone Europe/Warsaw --count 5
  almanac preview "30 0 2 * * *" --seconds
  almanac preview '{"solar": {"event": "sunset", "latitude": -37.81753, "longitude": 144.96715}}'
  almanac preview "30 2 * * *" -z America/New_York --from 2027-03-13   # what the clock change does`,
    )
    .action(async (schedule: string, options: PreviewOptions) =>
      (await import('./preview-schedule.js')).preview(world, schedule, options),
    )
}

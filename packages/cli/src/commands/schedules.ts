import type { Command } from 'commander'
import { type ServerOptions, withServerOptions } from '../session.js'
import type { World } from '../world.js'
import type { CreateScheduleOptions } from './shared-schedules.js'

const work = () => import('./shared-schedules.js')

export const addSchedules = (program: Command, world: World): void => {
  const schedules = program.command('schedules').description('schedules that tasks share by name')
  withServerOptions(schedules.command('list').alias('ls').description('all shared schedules')).action(
    async (options: ServerOptions) => (await work()).listSchedules(world, options),
  )
  withServerOptions(
    schedules.command('show').description('one schedule and who uses it').argument('<name>'),
  ).action(async (name: string, options: ServerOptions) => (await work()).showSchedule(world, name, options))
  withServerOptions(
    schedules
      .command('create')
      .description('a new shared schedule')
      .requiredOption('--name <name>', 'the name that tasks refer to; fixed for life')
      .requiredOption('--schedule <schedule>', 'a crontab line, or the JSON of any schedule')
      .option('-z, --timezone <zone>', 'zone of a crontab that names none')
      .option('--seconds', 'the crontab line has six fields, the first is the second')
      .option('--description <text>', 'for people')
      .option('--reason <text>', 'why; kept in the history'),
  ).action(async (options: CreateScheduleOptions) => (await work()).createSchedule(world, options))
  withServerOptions(
    schedules
      .command('delete')
      .alias('rm')
      .description('refused while tasks use it')
      .argument('<name>')
      .option('--cascade', 'delete the tasks that use it too'),
  ).action(async (name: string, options: ServerOptions & { cascade?: boolean }) =>
    (await work()).deleteSchedule(world, name, options),
  )
}

import { Command, CommanderError } from 'commander'
import { addCluster } from './commands/cluster.js'
import { addDoctor } from './commands/doctor.js'
import { addHistory } from './commands/history.js'
import { addImport } from './commands/import.js'
import { addKeys } from './commands/keys.js'
import { addPreview } from './commands/preview.js'
import { addRuns } from './commands/runs.js'
import { addSchedules } from './commands/schedules.js'
import { addServe } from './commands/serve.js'
import { addSimulate } from './commands/simulate.js'
import { addSync } from './commands/sync.js'
import { addTasks } from './commands/tasks.js'
import { addWebhooks } from './commands/webhooks.js'
import { Ended, exitCodes } from './failure.js'
import { asFailure, printFailure } from './output/failure.js'
import { version } from './version.js'
import type { World } from './world.js'

const overview = `
Start here:
  almanac serve                                     start a server on this machine
  almanac import celery tasks.json                  take over a django-celery-beat fixture
  almanac tasks list                                what runs when
  almanac runs list --follow                        watch it run
  almanac plan -f schedules/                        what files say, against what is there
  almanac preview "0 2 * * mon"                     when would this fire?
  almanac cluster status                            nodes, partitions, owners
  almanac simulate --page load.html                 what will the coming year be like?

A name of a task or schedule is looked up exactly; then an id is tried. Instants are ISO 8601, a date, now, or a
distance such as -2h and +1d. Colours are off when the output is no terminal or NO_COLOR is set.

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the server cannot be reached,
4 a check found a difference, 130 stopped by Ctrl-C.
Environment: ALMANAC_URL, ALMANAC_NAMESPACE, ALMANAC_KEY or ALMANAC_KEY_FILE (your key),
ALMANAC_ACTOR (who you are in the history, or for whom your key acts).`

/** All commands on one world. Help and usage errors are written there too; ends are thrown, never `process.exit`. */
export const buildProgram = (world: World): Command => {
  const program = new Command('almanac')
    .description('Schedules tasks and tells afterwards what ran, what did not, and why.')
    .version(version, '-V, --version')
    .addHelpText('after', overview)
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the options and examples)')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => world.out.write(text),
      writeErr: (text) => world.err.write(text),
      getOutHelpWidth: () => Math.min(world.out.columns, 110),
      getErrHelpWidth: () => Math.min(world.err.columns, 110),
      getOutHasColors: () => world.out.paint.isColorSupported,
      getErrHasColors: () => world.err.paint.isColorSupported,
      outputError: (text, write) => write(world.err.paint.red(text)),
    })
    .configureHelp({ styleTitle: (text) => world.out.paint.bold(text) })
  addServe(program, world)
  addTasks(program, world)
  addSchedules(program, world)
  addRuns(program, world)
  addSync(program, world)
  addImport(program, world)
  addPreview(program, world)
  addSimulate(program, world)
  addHistory(program, world)
  addCluster(program, world)
  addKeys(program, world)
  addWebhooks(program, world)
  addDoctor(program, world)
  return program
}

/** Runs one command line (without node and script) and answers the exit code. Never throws. */
export const run = async (world: World, args: readonly string[]): Promise<number> => {
  const json = args.includes('--json')
  try {
    const program = buildProgram(world)
    if (args.length === 0) {
      world.out.write(program.helpInformation() + overview.concat('\n'))
      return exitCodes.ok
    }
    await program.parseAsync([...args], { from: 'user' })
    return exitCodes.ok
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    if (thrown instanceof Ended) return thrown.exitCode
    const failure = asFailure(thrown, world.env.ALMANAC_DEBUG === '1')
    printFailure(world.err, failure, json)
    return failure.exitCode
  }
}

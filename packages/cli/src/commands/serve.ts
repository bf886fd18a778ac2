import type { Command } from 'commander'
import { Ended } from '../failure.js'
import type { World } from '../world.js'

/**
 * Starts the standalone server in this process. Its flags, environment variables and help are its own: they are
 * handed over as they are, and its modules are loaded only now, so that other commands start fast.
 */
export const addServe = (program: Command, world: World): void => {
  program
    .command('serve')
    .description('start a server in this process: API, scheduler and data')
    .usage('[options]   (almanac serve --help lists them)')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .passThroughOptions()
    .argument('[options...]')
    .action(async (args: readonly string[]) => {
      world.claimStop()
      const code = await world.serve(args)
      if (code !== 0) throw new Ended(code)
    })
}

import type { Command } from 'commander'
import type { World } from '../world.js'

export const addServe = (program: Command, _world: World): void => {
  program
    .command('serve')
    .description('start a server on this machine: API, scheduler and data in one process')
}

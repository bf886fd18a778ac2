import type { Command } from 'commander'
import { type ServerOptions, withServerOptions } from '../session.js'
import type { World } from '../world.js'
import type { CreateKeyOptions, ListKeysOptions } from './keys-work.js'

const work = () => import('./keys-work.js')
const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value]

export const addKeys = (program: Command, world: World): void => {
  const keys = program.command('keys').description('who may ask the server for what')
  withServerOptions(
    keys
      .command('create')
      .description('a new API key; it is printed once and kept nowhere')
      .requiredOption('--name <name>', 'who acts with it, as histories show it')
      .requiredOption('--scope <scope>', 'what it is good for; may be given several times', collect)
      .option('--only <namespace>', 'the one namespace that it opens; without it: all')
      .option('--expires <instant>', 'from then on it opens nothing')
      .option('--reason <text>', 'why; kept in the history'),
  )
    .addHelpText(
      'after',
      `
Scopes: tasks:read tasks:write runs:read runs:work audit:read cluster:read admin (all of them, and keys).

Examples:
  almanac keys create --name root --scope admin                    # the first: from now on a key is needed
  almanac keys create --name ci --scope tasks:write --scope tasks:read --only shop --expires +90d
  ALMANAC_KEY=alm_… almanac tasks list`,
    )
    .action(async (options: CreateKeyOptions) => (await work()).createKey(world, options))
  withServerOptions(
    keys
      .command('list')
      .alias('ls')
      .description('keys that open something, newest first')
      .option('-a, --all', 'also those that are expired or revoked'),
  ).action(async (options: ListKeysOptions) => (await work()).listKeys(world, options))
  withServerOptions(
    keys
      .command('revoke')
      .description('takes a key back, for good')
      .argument('<key>', 'its name or id')
      .option('--reason <text>', 'why; kept in the history'),
  ).action(async (key: string, options: ServerOptions & { readonly reason?: string }) =>
    (await work()).revokeKey(world, key, options),
  )
  keys
    .command('generate')
    .description('prints a key for ALMANAC_BOOTSTRAP_KEY; asks no server')
    .action(async () => (await work()).generateKey(world))
}

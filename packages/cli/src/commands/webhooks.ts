import type { Command } from 'commander'
import { withServerOptions } from '../session.js'
import type { World } from '../world.js'
import type { NewWebhookOptions } from './webhooks-run.js'

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** Who is told of what happens, and who is given runs to do. */
export const addWebhooks = (program: Command, world: World): void => {
  const webhooks = program.command('webhooks').description('who is told of what happens')
  withServerOptions(
    webhooks
      .command('create')
      .description('make one; its secret is printed once')
      .argument('<name>', 'unique in the namespace')
      .argument('<url>', 'where it is posted to, https')
      .option('-e, --event <type>', 'such as task.disabled, run.failed or task.*; repeat for more', collect)
      .option(
        '-l, --label <key=value>',
        'only what tasks with this label are about; repeat for more',
        collect,
      )
      .option('--runs <queue>', 'give it the runs of this queue to do')
      .option('--lease-seconds <n>', 'how long a run is the receiver’s that answered 202')
      .option('-r, --reason <text>', 'why; kept in the history'),
  )
    .addHelpText(
      'after',
      '\nExample:\n  almanac webhooks create pager https://hooks.example.com/almanac -e run.failed -e task.quarantined',
    )
    .action(async (name: string, url: string, options: NewWebhookOptions) =>
      (await import('./webhooks-run.js')).createWebhook(world, name, url, options),
    )
  withServerOptions(
    webhooks.command('list').description('all of the namespace, and how they have fared'),
  ).action(async (options) => (await import('./webhooks-run.js')).listWebhooks(world, options))
  const verbs = [
    ['deliveries', 'its newest messages, and what came of them'],
    ['ping', 'send it a message now, and show what it answers'],
    ['enable', 'take it up again'],
    ['disable', 'tell it nothing until it is enabled; what happens meanwhile is told then'],
    ['rotate-secret', 'make a new secret; for 24 hours both are used'],
    ['delete', 'what has not got through is dropped'],
  ] as const
  for (const [verb, description] of verbs) {
    withServerOptions(
      webhooks.command(verb).description(description).argument('<name>', 'its name, else its id'),
    ).action(async (name: string, options) =>
      (await import('./webhooks-run.js')).onWebhook(world, verb, name, options),
    )
  }
}

import type { Command } from 'commander'
import { withServerOptions } from '../session.js'
import type { World } from '../world.js'
import type { ClusterStatusOptions } from './cluster-status.js'

export const addCluster = (program: Command, world: World): void => {
  const cluster = program.command('cluster').description('nodes, partitions, and who owns what')
  withServerOptions(
    cluster
      .command('status')
      .description('all nodes and partitions as one node sees them, and what is wrong with them')
      .option('-p, --partitions', 'each partition: owner, term, sequence, age of its checkpoint')
      .option('-w, --watch', 'again every two seconds, until Ctrl-C')
      .option('--check', 'exit with 1 when something is wrong'),
  )
    .addHelpText(
      'after',
      `
Examples:
  almanac cluster status --url http://127.0.0.1:7421      # as that node sees it
  almanac cluster status --partitions
  almanac cluster status --check || page-somebody`,
    )
    .action(async (options: ClusterStatusOptions) =>
      (await import('./cluster-status.js')).clusterStatus(world, options),
    )
}

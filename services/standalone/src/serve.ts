import { resolve } from 'node:path'
import {
  type ProcessConfig,
  type Program,
  type Running,
  serve as serveProgram,
} from '@almanac/scheduler/service'
import { startStandalone, version } from './main.js'

/** Standalone by default; with the servers of a cluster in its configuration, a node of that cluster. */
const program: Program = {
  version,
  title: 'Almanac: scheduler, API and data in one process, or a node of a cluster.',
  async start(config, callbacks) {
    if (config.servers === null) return startStandalone(config, callbacks)
    // Loaded only here, so that a laptop starts without the clients of servers that it does not have.
    const { startNode } = await import('@almanac/scheduler')
    return startNode({ ...config, servers: config.servers }, callbacks)
  },
  welcome: (running, config) =>
    config.servers === null ? welcome(running, config) : `Almanac ${version} is running at ${running.url}`,
}

export const serve = (
  process: Parameters<typeof serveProgram>[0],
  argv?: readonly string[],
): Promise<number> => serveProgram(process, program, argv)

function welcome({ url }: Running, config: ProcessConfig): string {
  const address = url === 'http://127.0.0.1:7420' ? '' : ` (with ALMANAC_URL=${url})`
  return [
    `Almanac ${version} is running at ${url}`,
    `Data is in ${resolve(config.data)}`,
    '',
    `What to try next${address}:`,
    `  ${url}/       what runs, as it runs`,
    `  ${url}/docs   the HTTP API`,
    '  npx almanac preview "0 2 * * mon"',
    '  npx almanac import celery packages/cli/fixtures/django-celery-beat.fixture.json',
    '  node examples/worker.mjs',
    '  npx almanac tasks list',
    '  npx almanac runs list --follow',
    '',
    'Ctrl-C stops it; nothing is lost.',
  ].join('\n')
}

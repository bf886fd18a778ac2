import { type NodeConfig, startNode, version } from './main.js'
import { type ProcessConfig, type Program, StartProblem, serve } from './service/index.js'

const program: Program = {
  version,
  title: 'Almanac: a node of a cluster.',
  start: (config, callbacks) => startNode(clusterConfig(config), callbacks),
  welcome: ({ url }, { cluster, role }) =>
    `Almanac ${version} is running at ${url}: a node of the cluster ${cluster}, role ${role}`,
}

/** Throws `StartProblem` when the configuration names no servers. */
function clusterConfig(config: ProcessConfig): NodeConfig {
  const { servers } = config
  if (servers !== null) return { ...config, servers }
  const names = 'ALMANAC_EVENTSTORE, ALMANAC_KAFKA and ALMANAC_REDIS'
  throw new StartProblem(`A node of a cluster needs its servers: set ${names}.`)
}

/** A node of a cluster as a command: see `serve`. */
export const serveNode = (process: Parameters<typeof serve>[0]): Promise<number> => serve(process, program)

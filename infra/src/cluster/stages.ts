import { startKafka } from '../kafka.js'
import { startRedis } from '../redis.js'
import { startDouble } from './double.js'
import type { ClusterLayout, ServerLayout } from './layout.js'
import { isAlive } from './marked.js'
import { startNode } from './node-process.js'
import type { Part, PartStart, Stage } from './part.js'
import { ProblemLines, type Say } from './screen.js'

/** Servers first, all at once; the nodes when they answer. Stopped the other way round. */
export function stagesOf(layout: ClusterLayout, mark: string, say: Say): readonly Stage[] {
  const { kafka, redis, double, nodes, nodeProgram } = layout
  const lines = new ProblemLines(say)
  const servers: PartStart[] = [
    ...redis.map((server) => startOf(server, () => startRedis(server))),
    ...(double === null ? [] : [startOf(double, () => startDouble(double))]),
    ...(kafka === null ? [] : [startOf(kafka, () => startKafka({ ...kafka, onProgress: say }))]),
  ]
  const nodeStarts = nodes.map(
    (node): PartStart => ({
      name: node.name,
      start: () =>
        startNode({
          node,
          program: nodeProgram,
          mark,
          onProblem: (line, logFile) => lines.show(node.name, line, logFile),
        }),
    }),
  )
  return [
    { starts: servers, patienceMs: 10_000 },
    // A node gives its partitions back within 5 s.
    { starts: nodeStarts, patienceMs: 15_000 },
  ]
}

/** What the servers of this package have in common. */
interface LocalServer {
  readonly pid: number
  readonly host: string
  readonly port: number
  readonly logFile: string
  stop(): Promise<void>
  kill(): Promise<void>
}

const startOf = (layout: ServerLayout, start: () => Promise<LocalServer>): PartStart => ({
  name: layout.name,
  start: async () => partOf(layout.name, await start()),
})

function partOf(name: string, server: LocalServer): Part {
  const { pid, host, port, logFile } = server
  return {
    name,
    pid,
    logFile,
    address: `${host}:${port}`,
    ending: () => (isAlive(pid) ? undefined : 'unasked'),
    end: (signal) => (signal === 'SIGTERM' ? server.stop() : server.kill()),
  }
}

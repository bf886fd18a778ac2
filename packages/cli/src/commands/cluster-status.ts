import type { ClusterJson } from '@almanac/protocol'
import { Ended, exitCodes } from '../failure.js'
import type { Column } from '../output/table.js'
import { counted } from '../output/text.js'
import { duration, relative } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'

export interface ClusterStatusOptions extends ServerOptions {
  readonly partitions?: boolean
  readonly watch?: boolean
  readonly check?: boolean
}

type NodeJson = ClusterJson['nodes'][number]
type PartitionJson = ClusterJson['partitions'][number]

/** Owners leave a checkpoint every 30 s, due or not. */
const silentMs = 60_000
const watchMs = 2_000

/** What is wrong with the cluster, in sentences; empty: nothing. */
export function problemsOf(cluster: ClusterJson): readonly string[] {
  const live = new Set(cluster.nodes.map(({ nodeId }) => nodeId))
  const now = Math.max(...cluster.nodes.map((node) => Date.parse(node.now)))
  const lines: string[] = []
  for (const node of cluster.nodes) {
    if (!node.ready) lines.push(`Node ${node.nodeId} is not ready: ${node.problem ?? 'starting'}.`)
    else if (node.problem !== null) lines.push(`Node ${node.nodeId}: ${node.problem}.`)
  }
  const tell = (partitions: readonly PartitionJson[], what: string) => {
    if (partitions.length > 0) lines.push(`${listOf(partitions)} ${what}.`)
  }
  const { partitions } = cluster
  tell(
    partitions.filter(({ owner }) => owner === null),
    'had no owner yet',
  )
  tell(
    partitions.filter(({ owner }) => owner !== null && !live.has(owner)),
    'was owned by a node that is gone',
  )
  tell(
    partitions.filter(({ evaluatedAt }) => evaluatedAt !== null && now - Date.parse(evaluatedAt) > silentMs),
    `left no checkpoint for more than ${duration(silentMs)}`,
  )
  return lines
}

/** `Partitions 3, 7 and 61 more` */
function listOf(partitions: readonly PartitionJson[]): string {
  const numbers = partitions.map(({ partition }) => partition)
  if (numbers.length === 1) return `Partition ${numbers[0]}`
  const more = numbers.length > shownNumbers ? ` and ${numbers.length - shownNumbers} more` : ''
  return `Each of the partitions ${numbers.slice(0, shownNumbers).join(', ')}${more}`
}

const shownNumbers = 8

const nodeColumns = (session: Session, cluster: ClusterJson): Column<NodeJson>[] => {
  const { paint } = session.world.out
  return [
    {
      title: 'NODE',
      value: ({ nodeId }) => (nodeId === cluster.nodeId ? `${nodeId} *` : nodeId),
      min: 8,
      style: paint.bold,
    },
    {
      title: 'STATE',
      value: (node) => (node.ready ? 'ready' : (node.problem ?? 'starting')),
      min: 8,
      style: (text, node) => (node.ready ? paint.green(text) : paint.yellow(text)),
    },
    { title: 'OWNS', value: ({ owned }) => `${owned}`, align: 'right' },
    { title: 'WEIGHT', value: ({ weight }) => `${weight}`, align: 'right', drop: 3 },
    { title: 'REGION', value: ({ region }) => region || '-', drop: 4 },
    { title: 'LAG', value: ({ lag }) => `${lag}`, align: 'right' },
    {
      title: 'UP',
      value: (node) => duration(Date.parse(node.now) - Date.parse(node.startedAt)),
      drop: 2,
    },
    { title: 'VERSION', value: ({ version }) => version, drop: 1, style: paint.dim },
  ]
}

const partitionColumns = (session: Session, now: number): Column<PartitionJson>[] => {
  const { paint } = session.world.out
  const when = (text: string | null) => (text === null ? '-' : relative(Date.parse(text), now))
  const number = (value: number | null) => (value === null ? '-' : `${value}`)
  return [
    { title: 'PARTITION', value: ({ partition }) => `${partition}`, align: 'right' },
    { title: 'OWNER', value: ({ owner }) => owner ?? '-', min: 8, style: paint.bold },
    { title: 'TERM', value: ({ term }) => number(term), align: 'right' },
    { title: 'SEQ', value: ({ seq }) => number(seq), align: 'right' },
    { title: 'POSITION', value: ({ position }) => number(position), align: 'right', drop: 2 },
    { title: 'CHECKPOINT', value: ({ evaluatedAt }) => when(evaluatedAt) },
    { title: 'TASKS', value: ({ tasks }) => number(tasks), align: 'right', drop: 1 },
    { title: 'NEXT', value: ({ nextDueAt }) => when(nextDueAt), drop: 3, style: paint.cyan },
  ]
}

/** Nodes and partitions of a cluster, as the node that is asked sees them. */
export async function clusterStatus(world: World, options: ClusterStatusOptions): Promise<void> {
  const session = new Session(world, options)
  if (options.watch) world.claimStop()
  for (;;) {
    const { body } = await session.server.askRoot<ClusterJson>('/v1/cluster')
    const problems = problemsOf(body)
    show(session, body, problems, options)
    if (options.check && problems.length > 0) throw new Ended(exitCodes.refused)
    if (!options.watch) return
    await world.clock.sleep(watchMs, world.stop)
    if (world.stop.stopped) return
    if (!session.json) session.line()
  }
}

function show(
  session: Session,
  cluster: ClusterJson,
  problems: readonly string[],
  { partitions, watch }: ClusterStatusOptions,
): void {
  if (session.json) {
    if (watch) session.line(JSON.stringify({ ...cluster, problems }))
    else session.document({ ...cluster, problems })
    return
  }
  session.table(nodeColumns(session, cluster), cluster.nodes)
  if (partitions) {
    session.line()
    const now = Date.parse(cluster.nodes.find(({ nodeId }) => nodeId === cluster.nodeId)?.now ?? '')
    session.table(partitionColumns(session, now), cluster.partitions)
  }
  const { paint } = session.world.out
  session.line()
  for (const problem of problems) session.line(paint.yellow(problem))
  const owned = cluster.partitions.filter(({ owner }) => owner !== null).length
  const nodes = counted(cluster.nodes.length, 'node')
  session.notice(
    `Cluster ${cluster.cluster}: ${nodes}, ${owned} of ${cluster.partitions.length} partitions owned, ` +
      `${counted(cluster.tasks.tasks, 'task')}, event log at ${cluster.head}. * answers`,
  )
}

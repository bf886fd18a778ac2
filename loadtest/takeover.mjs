// How long partitions stand still when a node is killed (kill -9), and when one is asked to end. Nodes are processes,
// on a real broker and Redis; tasks are due every second. Ceiling: what a takeover has to wait for, the time of a lease
// and one step of its renewal.
//
//   npm run build && node loadtest/takeover.mjs [--kills 5] [--stops 3] [--lease-ttl 10] [--nodes 3] [--tasks 400]
//     [--partitions 64] [--event-log sqlite|double]
//
// Times are those of the broker's clock (LogAppendTime), on the machine of the nodes. The exit code is 1 when a run was
// lost or doubled, over all of it.

import { partitionOf } from '@almanac/domain'
import { prefix, startServers, until } from './cluster-world.mjs'
import { Committed } from './committed.mjs'
import { Grid, Reigns } from './reigns.mjs'
import { bar, optionsOf, scenario, sleep } from './scenario.mjs'
import { machine, quantile } from './world.mjs'

const options = optionsOf({
  kills: 5,
  stops: 3,
  'lease-ttl': 10,
  nodes: 3,
  tasks: 400,
  partitions: 64,
  'event-log': 'sqlite',
})
const leaseTtlMs = options['lease-ttl'] * 1_000
/** As services/scheduler has it, and as late as a renewal may come. */
const renewalMs = Math.min(leaseTtlMs / 4, 2_500) * 1.2
const names = Array.from({ length: options.nodes }, (_, index) => `node-${index + 1}`)

await scenario(async (parts) => {
  console.log(
    `${machine()}\n${options.nodes} nodes as processes, ${options.partitions} partitions, leases of ` +
      `${options['lease-ttl']} s; ${options.tasks} tasks every second; event log: ${options['event-log']}`,
  )
  const cluster = await startServers(parts, {
    eventLog: options['event-log'],
    partitions: options.partitions,
    leaseTtl: options['lease-ttl'],
  })
  process.stderr.write(`Starting ${options.nodes} nodes\n`)
  await Promise.all(names.map((name) => cluster.start(name)))
  const world = { cluster, ...(await everySecond(cluster, parts)) }
  await settled(world, names)
  const killed = []
  for (let n = 0; n < options.kills; n++) killed.push(...(await lose(world, 'SIGKILL', n)))
  const stopped = []
  for (let n = 0; n < options.stops; n++) stopped.push(...(await lose(world, 'SIGTERM', n)))
  return await conclude(world, killed, stopped)
})

/** Creates the tasks by HTTP, and reads all that is committed from then on. */
async function everySecond(cluster, { undo }) {
  const first = Math.ceil(Date.now() / 1_000) * 1_000 + 5_000 + options.tasks * 5
  const body = (index) => ({
    name: `every second ${index}`,
    task: 'app.tasks.tick',
    schedule: { interval: { every: 1, period: 'seconds' } },
    startTime: new Date(first).toISOString(),
    catchUp: { policy: 'all', max: 1_000 },
    args: [index],
  })
  const taskIds = []
  const show = bar('Creating tasks', options.tasks)
  const one = async () => {
    while (taskIds.length < options.tasks) {
      const index = taskIds.push(undefined) - 1
      taskIds[index] = (await cluster.tasks(names[0], '', { body: body(index) })).body.id
      show(index + 1)
    }
  }
  await Promise.all(Array.from({ length: 16 }, one))
  if (Date.now() > first) throw new Error('Creating the tasks took too long')
  const grid = new Grid(first)
  const reigns = new Reigns()
  const { onRun, ...others } = reigns.callbacks()
  const committed = new Committed(cluster.bootstrap, prefix, {
    ...others,
    onRun: (record) => grid.take(onRun(record)),
  })
  committed.start()
  undo(() => committed.stop())
  const busy = new Set(taskIds.map((taskId) => partitionOf(taskId, options.partitions)))
  return { committed, grid, reigns, taskIds, busy: [...busy], first }
}

/** Until every partition is with the node that should have it, and all of them tick. */
async function settled({ cluster, reigns, busy, first }, nodes) {
  const wanted = cluster.ownersAmong(nodes)
  const show = bar('Partitions in their places', busy.length)
  const look = () => {
    const right = busy.filter((partition) => reigns.owner(partition) === wanted[partition])
    show(right.length)
    return right.length === busy.length ? true : undefined
  }
  await until('all partitions to be in their places', look, 180_000 + 3 * leaseTtlMs)
  await sleep(Math.max(0, first - Date.now()) + 3_000)
}

/** Ends one node, waits until its partitions go on elsewhere, and brings it back. */
async function lose(world, signal, n) {
  const { cluster, reigns, busy } = world
  const name = names[n % names.length]
  const own = busy.filter((partition) => reigns.owner(partition) === name)
  const { at, tookMs } = await cluster.nodes.get(name).end(signal)
  const look = () => reigns.after(name, at, own)
  const moved = await until(`the partitions of ${name} to go on`, look, 60_000 + 5 * leaseTtlMs)
  const count = signal === 'SIGKILL' ? options.kills : options.stops
  console.log(
    `${signal} ${n + 1} of ${count}, ${name}: ${own.length} partitions; ${textOf(moved)}` +
      (signal === 'SIGTERM' ? `; its process ended after ${(tookMs / 1_000).toFixed(2)} s` : ''),
  )
  await cluster.start(name)
  await settled(world, names)
  return moved.map((one) => ({ ...one, tookMs }))
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const texts = [sorted[0], quantile(sorted, 0.5), sorted.at(-1)].map((ms) => (ms / 1_000).toFixed(2))
  return `${texts.join(' / ')} s`
}

function textOf(moved) {
  const taken = spread(moved.map(({ takenMs }) => takenMs))
  const gap = spread(moved.map(({ gapMs }) => gapMs))
  return (
    `to the first checkpoint of another owner ${taken}, between the last run before and the first after ${gap} ` +
    '(min / median / max)'
  )
}

async function conclude({ cluster, committed, grid, reigns, taskIds }, killed, stopped) {
  await Promise.all([...cluster.nodes.values()].map((node) => node.end('SIGTERM')))
  await committed.finish(options.partitions)
  const decidedUntil = (taskId) => reigns.decidedUntil(partitionOf(taskId, options.partitions))
  const { due, lost, doubled } = grid.judge(taskIds, decidedUntil)
  const ceiling = leaseTtlMs + renewalMs
  if (killed.length > 0) {
    const worst = Math.max(...killed.map(({ takenMs }) => takenMs))
    console.log(
      `all kills, ${killed.length} partitions: ${textOf(killed)}\n` +
        `ceiling, lease and one renewal: ${(ceiling / 1_000).toFixed(1)} s; the worst took ` +
        `${((100 * worst) / ceiling).toFixed(0)} % of it`,
    )
  }
  if (stopped.length > 0) {
    const exit = spread([...new Set(stopped.map(({ tookMs }) => tookMs))])
    console.log(
      `all planned ends, ${stopped.length} partitions: ${textOf(stopped)}; until the process had ended ${exit}\n` +
        `(tasks are due every second: 1 s between two runs is no gap at all)`,
    )
  }
  console.log(`${due} runs were due: ${lost} lost, ${doubled} doubled, ${grid.offGrid} that were never due`)
  console.log(
    'peer, not in this run: celery beat has no second node; two of them send everything twice, and one that was ' +
      'killed sends what it sent in the last 180 s again',
  )
  return lost + doubled + grid.offGrid > 0 ? 1 : 0
}

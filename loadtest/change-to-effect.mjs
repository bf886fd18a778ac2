// How soon a change is answered, certain and in effect: requests to one of two nodes, for tasks that this node or the
// other one owns, on a real broker and Redis. Floor of an answer, in the same run: a plain append to an event log of
// the same kind.
//
//   npm run build && node loadtest/change-to-effect.mjs [changes] [--at-once 4] [--tasks 1000] [--partitions 64]
//     [--event-log sqlite|double]
//
// A change is in effect when a worker could read the first run that it leads to. The exit code is 1 when a run follows
// a `disable` that was answered as fenced.

import { join } from 'node:path'
import { EventStoreLog, parseEventStore } from '@almanac/adapters/eventstore'
import { openSharedEventLog } from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import { partitionOf } from '@almanac/domain'
import { prefix, startServers, until } from './cluster-world.mjs'
import { Figures, RunWatch, textOf } from './effects.mjs'
import { bar, optionsOf, scenario, sleep } from './scenario.mjs'
import { machine, seedTasks } from './world.mjs'

const options = optionsOf(
  { changes: 300, 'at-once': 4, tasks: 1_000, partitions: 64, 'event-log': 'sqlite' },
  'changes',
)
const names = ['node-1', 'node-2']
const everySecond = { interval: { every: 1, period: 'seconds' } }
const daily = { interval: { every: 1, period: 'days' } }

await scenario(async (parts) => {
  console.log(
    `${machine()}\ntwo nodes as processes, ${options.partitions} partitions, ${options.tasks} daily tasks beside; ` +
      `${options.changes} tasks changed, ${options['at-once']} at once; event log: ${options['event-log']}`,
  )
  const cluster = await startServers(parts, {
    eventLog: options['event-log'],
    partitions: options.partitions,
    leaseTtl: 10,
  })
  process.stderr.write('Starting two nodes\n')
  await Promise.all(names.map((name) => cluster.start(name)))
  await placed(cluster)
  await besides(cluster)
  const runs = new RunWatch(cluster.bootstrap, prefix)
  parts.undo(() => runs.stop())
  const appends = await plainAppends(parts.folder, cluster.eventLog)
  const figures = new Figures()
  const disabled = []
  const show = bar('Tasks changed', options.changes)
  let next = 0
  const one = async () => {
    while (next < options.changes) {
      await life({ cluster, runs, figures, disabled, index: next++ })
      show(disabled.length)
    }
  }
  await Promise.all(Array.from({ length: options['at-once'] }, one))
  await sleep(3_000)
  return conclude({ runs, figures, disabled, appends })
})

/** Until both nodes have their share. */
async function placed(cluster) {
  const wanted = cluster.ownersAmong(names)
  const show = bar('Partitions in their places', options.partitions)
  const look = async () => {
    const { partitions } = await cluster.status(names[0])
    const right = partitions.filter(({ partition, owner }) => owner === wanted[partition])
    show(right.length)
    return right.length === options.partitions ? true : undefined
  }
  await until('all partitions to be in their places', look, 120_000)
}

/** Tasks of which nothing is due meanwhile. */
async function besides(cluster) {
  const body = (index) => ({
    name: `daily ${index}`,
    task: 'app.tasks.daily',
    schedule: daily,
    args: [index],
  })
  if (options['event-log'] === 'sqlite' && options.tasks > 0) {
    await cluster.seed((log) => seedTasks(log, options.tasks, body, { atOnce: 200 }))
    return
  }
  const show = bar('Creating tasks', options.tasks)
  let next = 0
  const one = async () => {
    while (next < options.tasks) {
      await cluster.tasks(names[0], '', { body: body(next++) })
      show(next)
    }
  }
  await Promise.all(Array.from({ length: 16 }, one))
}

/** One task's way: created, run by hand, changed, disabled. The first half of them begins with a run each second. */
async function life({ cluster, runs, figures, disabled, index }) {
  const name = names[index % names.length]
  const owners = cluster.ownersAmong(names)
  const isOwnOf = (taskId) => owners[partitionOf(taskId, options.partitions)] === name
  const ask = (what, path, init) => figures.timed(what, isOwnOf, () => cluster.tasks(name, path, init))
  const effect = (what, { at }, run, isOwn) => {
    figures.add(`${what}: request to run`, isOwn, run.seenAt - at)
    if (run.kind !== 'manual') figures.add(`${what}: due instant to run`, isOwn, run.seenAt - run.scheduledAt)
  }
  await sleep(Math.random() * 1_000)
  const body = { name: `changed ${index}`, task: 'app.tasks.changed' }
  const isCreatedFenced = index % 4 < 2
  let taskId
  if (isCreatedFenced) {
    const created = await ask('(b) create, answered as fenced', '?wait=fenced', {
      body: { ...body, schedule: everySecond },
    })
    taskId = created.body.id
    effect('(c) created every second', created, await runs.first(taskId, false), isOwnOf(taskId))
  } else {
    const created = await ask('(a) create, answered', '', { body: { ...body, schedule: daily } })
    taskId = created.body.id
    const asked = await ask('(a) trigger, answered', `/${taskId}/trigger`, { body: {} })
    effect('(c) triggered', asked, await runs.first(taskId, true), isOwnOf(taskId))
    const init = { method: 'PATCH', body: { schedule: everySecond } }
    const changed = await ask('(a) change of the schedule, answered', `/${taskId}`, init)
    effect('(d) daily, changed to every second', changed, await runs.first(taskId, false), isOwnOf(taskId))
  }
  await sleep(Math.random() * 1_000)
  const path = `/${taskId}/disable?wait=fenced`
  const { answeredAt, isFenced } = await ask('(b) disable, answered as fenced', path, { body: {} })
  disabled.push({ taskId, answeredAt, isFenced })
}

/** Appends, one after the other, beside the idle nodes. */
async function plainAppends(folder, address) {
  const clock = systemClock()
  const random = systemRandom()
  const log = address.startsWith('sqlite:')
    ? sqliteLog(folder, clock, random)
    : storeLog(address, clock, random)
  const metadata = {
    namespace: 'default',
    actor: 'load',
    at: Date.now(),
    correlationId: 'load',
    previousHash: '',
  }
  const took = []
  for (let index = 0; index < 500; index++) {
    const event = {
      id: `load-${index}`,
      type: 'Noted',
      version: 1,
      data: { text: 'x'.repeat(300) },
      metadata,
    }
    const began = performance.now()
    await log.append(`note-${index}`, 'none', [event])
    // The first ones find nothing warm.
    if (index >= 50) took.push(performance.now() - began)
  }
  await log.close()
  return took
}

function sqliteLog(folder, clock, random) {
  const onFatal = (error) => {
    throw error
  }
  const opened = openSharedEventLog({ folder: join(folder, 'floor'), clock, random, onFatal })
  return { append: (...args) => opened.eventLog.append(...args), close: () => opened.close() }
}

/** Under a prefix that no node reads. */
const storeLog = (address, clock, random) =>
  new EventStoreLog({
    address: parseEventStore(address),
    prefix: 'floor.',
    clock,
    random,
    onFault: console.error,
  })

function conclude({ runs, figures, disabled, appends }) {
  console.log(`floor, one plain append: ${textOf(appends)}`)
  figures.tell()
  const certain = disabled.filter(({ isFenced }) => isFenced)
  const late = certain.flatMap(({ taskId, answeredAt }) =>
    runs.of(taskId).filter(({ appendedAt }) => appendedAt > answeredAt),
  )
  console.log(
    `(e) of ${certain.length} tasks with a run each second, after disable was answered as fenced: ` +
      `${late.length} later runs; ${figures.pending} answers came before the fence (wait over)`,
  )
  console.log(
    'peer, not in this run: django-celery-beat looks for changes every 5 s: p50 2.65 s, max 4.44 s with 1 000 ' +
      'daily tasks and nothing else due; with 100 of 10 000 tasks due every 10 s p50 0.71 s, max 1.33 s, of ' +
      '100 000 p50 6.5 s, max 12.6 s',
  )
  return late.length > 0 || certain.length === 0 ? 1 : 0
}

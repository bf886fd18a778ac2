// Very many tasks due at one second, on nodes of a cluster as processes, on a real broker: how long until the last run
// is committed, how late each was, and what memory it takes. Ceiling, in the same run: kafkajs' plain producer with the
// same messages.
//
//   npm run build && node loadtest/due.mjs [tasks] [--bursts 3] [--nodes 1] [--role all|scheduler] [--partitions 64]
//     [--lead seconds] [--profile]
//
// The event log is filled without commands while the nodes are running, as by an import. All tasks come due `--lead`
// seconds after that has begun, and then again and again. The exit code is 1 when a run was lost or doubled.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { prefix, startServers, until } from './cluster-world.mjs'
import { Committed } from './committed.mjs'
import { monotonicUs, profiled, selfTimes } from './profile.mjs'
import { bestRawRate, makeRawTopic } from './raw-producer.mjs'
import { bar, optionsOf, scenario, sleep, waitUntil } from './scenario.mjs'
import { machine, quantile, seedTasks } from './world.mjs'

const options = optionsOf(
  { tasks: 10_000, bursts: 0, nodes: 1, role: 'all', partitions: 64, lead: 0, profile: false },
  'tasks',
)
const { tasks: count, partitions } = options
const bursts = options.bursts || (count > 200_000 ? 1 : 3)
/** Time to fill the log and to build the read models. */
const leadS = options.lead || 20 + Math.ceil(count / 1_200)
const everyS = 30 + Math.ceil(count / 5_000)
const names = Array.from({ length: options.nodes }, (_, index) => `node-${index + 1}`)
/** Messages for the ceiling: as many as say the same as all of them. */
const mostRaw = 100_000
const batch = 1_000
const secondsOf = (ms) => (ms / 1_000).toFixed(2)
const rateOf = (ms) => Math.round(count / (ms / 1_000))

await scenario(async (parts) => {
  console.log(
    `${machine()}\n${count} tasks due at one second, ${bursts} times; ${options.nodes} node(s) as processes, role ` +
      `${options.role}, ${partitions} partitions, one broker, acks all`,
  )
  const cluster = await startServers(parts, { partitions, leaseTtl: 10 })
  const profiles = join(parts.folder, 'profiles')
  mkdirSync(profiles)
  await startNodes(cluster, options.profile ? profiled(profiles) : [])
  const first = (Math.ceil(Date.now() / 1_000) + leadS) * 1_000
  await fill(cluster, first)
  const live = liveReader(cluster, parts)
  const found = []
  for (let burst = 0; burst < bursts; burst++) found.push(await drain(cluster, live, first))
  const memory = [...cluster.nodes.values()].map((node) => node.memory())
  await live.stop()
  await Promise.all([...cluster.nodes.values()].map((node) => node.end('SIGTERM')))
  const read = await readRuns(cluster, found)
  const isWhole = tell(found, read, memory)
  if (options.profile) tellProfile(profiles, found.at(-1))
  await tellCeiling(cluster, found, read.messages)
  return isWhole ? 0 : 1
})

/** Until every partition has an owner. */
async function startNodes(cluster, execArgv) {
  process.stderr.write(`Starting ${names.length} node(s)\n`)
  const env = { ALMANAC_ROLE: options.role }
  await Promise.all(names.map((name) => cluster.start(name, { env, execArgv })))
  const show = bar('Partitions with an owner', partitions)
  const look = async () => {
    const { partitions: all } = await cluster.status(names[0])
    const owned = all.filter(({ owner, seq }) => owner !== null && seq !== null).length
    show(owned)
    return owned === partitions ? true : undefined
  }
  await until('all partitions to have an owner', look, 120_000)
}

/** Until all tasks are in the due indexes of their owners. */
async function fill(cluster, first) {
  const filled = bar('Filling the event log', count)
  const began = performance.now()
  const inputOf = (index) => ({
    name: `due ${index}`,
    task: 'app.tasks.burst',
    schedule: { interval: { every: everyS, period: 'seconds' } },
    startTime: first,
    args: [index, 'payload'],
    kwargs: { region: 'eu', dry: false },
  })
  await cluster.seed((log) => seedTasks(log, count, inputOf, { atOnce: 2_000, onProgress: filled }))
  filled(count)
  const written = performance.now()
  const placedBar = bar('Tasks in the due indexes', count)
  const look = async () => {
    let placed = 0
    for (const name of names) {
      const { partitions: all } = await statusOf(cluster, name)
      for (const { tasks } of all) placed += tasks ?? 0
    }
    placedBar(Math.min(placed, count))
    return placed === count ? true : undefined
  }
  await until('all tasks to be in the due indexes', look, 60_000 + count, 500)
  console.log(
    `${count} events written after ${secondsOf(written - began)} s, all tasks in the due indexes after ` +
      `${secondsOf(performance.now() - began)} s`,
  )
}

/** A node that reads as fast as it can may close a connection that was idle for it too long. */
async function statusOf(cluster, name) {
  for (let left = 10; ; left--) {
    try {
      return await cluster.status(name)
    } catch (error) {
      if (left === 0 || !cluster.nodes.get(name).isRunning) throw error
      await sleep(2_000)
    }
  }
}

/** Counts what is committed as checkpoints tell it, which costs next to nothing meanwhile. */
function liveReader(cluster, { undo }) {
  const ticks = []
  const onCheckpoint = ({ runs, evaluatedAt }) => {
    if (runs > 0) ticks.push({ runs, evaluatedAt, at: Date.now() })
  }
  const committed = new Committed(cluster.bootstrap, prefix, { onCheckpoint })
  committed.start()
  undo(() => committed.stop())
  return { ticks, stop: () => committed.stop() }
}

/** Waits for the next time that all are due, and until all of that is committed. */
async function drain(cluster, { ticks }, first) {
  const missed = Math.max(0, Math.ceil((Date.now() + 2_000 - first) / (everyS * 1_000)))
  const due = first + missed * everyS * 1_000
  await waitUntil(due - 1_000, 'Until all are due')
  const nodes = [...cluster.nodes.values()]
  const cpuOf = () => [nodes.reduce((sum, node) => sum + node.cpuSeconds(), 0), cluster.brokerCpuSeconds()]
  const before = cpuOf()
  await sleep(due - Date.now())
  const fromUs = monotonicUs()
  const show = bar('Committed', count)
  const look = () => {
    const own = ticks.filter(({ evaluatedAt }) => evaluatedAt >= due)
    const done = own.reduce((sum, { runs }) => sum + runs, 0)
    show(Math.min(done, count))
    return done >= count ? own : undefined
  }
  const own = await until('all runs to be committed', look, everyS * 1_000, 50)
  const toUs = monotonicUs()
  const cpuUs = cpuOf().map((seconds, index) => ((seconds - before[index]) * 1e6) / count)
  return { due, tookMs: Math.max(...own.map(({ at }) => at)) - due, ticks: own.length, cpuUs, fromUs, toUs }
}

/** All runs, when nobody writes any more. */
async function readRuns(cluster, found) {
  const bursts = new Map(found.map(({ due }) => [due, { lateness: [], taskIds: new Set() }]))
  const messages = []
  const show = bar('Reading the runs', count * found.length)
  let done = 0
  const onRun = ({ key, value, headers, appendedAt }) => {
    const scheduledAt = Date.parse(headers.scheduledAt)
    const burst = bursts.get(scheduledAt)
    if (burst === undefined) return
    burst.lateness.push(appendedAt - scheduledAt)
    burst.taskIds.add(headers.taskId)
    if (messages.length < mostRaw) messages.push({ key, value, headers })
    done += 1
    if (done % 1_000 === 0) show(done)
  }
  const committed = new Committed(cluster.bootstrap, prefix, { onRun })
  committed.start()
  await committed.finish(partitions, 600_000)
  for (const { lateness } of bursts.values()) lateness.sort((a, b) => a - b)
  return { bursts, messages }
}

function tell(found, { bursts: read }, memory) {
  let isWhole = true
  for (const [index, { due, tookMs, ticks, cpuUs }] of found.entries()) {
    const { lateness, taskIds } = read.get(due)
    const lost = count - taskIds.size
    const doubled = lateness.length - taskIds.size
    isWhole &&= lost === 0 && doubled === 0
    const [p50, p99] = [0.5, 0.99].map((part) => secondsOf(quantile(lateness, part)))
    console.log(
      `burst ${index + 1}: the last committed after ${secondsOf(tookMs)} s, ${rateOf(tookMs)} runs/s in ${ticks} ` +
        `ticks; lateness p50 ${p50} s, p99 ${p99} s, max ${secondsOf(lateness.at(-1))} s; ` +
        `CPU a run: ${cpuUs[0].toFixed(0)} µs of the node(s), ${cpuUs[1].toFixed(0)} µs of the broker; ` +
        `${lost} lost, ${doubled} doubled`,
    )
  }
  for (const [index, { now, peak }] of memory.entries()) {
    console.log(`${names[index]}: RSS ${now} MiB, at most ${peak} MiB`)
  }
  return isWhole
}

/** Of the last burst: what one run costs the main thread, by function. */
function tellProfile(folder, { fromUs, toUs }) {
  console.log('self time of the main thread, µs a run:')
  for (const { name, us } of selfTimes(folder, fromUs, toUs).slice(0, 40)) {
    console.log(`  ${(us / count).toFixed(2).padStart(6)}  ${name}`)
  }
}

async function tellCeiling(cluster, found, messages) {
  process.stderr.write('The raw producer\n')
  await makeRawTopic(cluster.bootstrap, 'raw', partitions)
  const raw = await bestRawRate(cluster.bootstrap, 'raw', messages, batch)
  const best = Math.min(...found.map(({ tookMs }) => tookMs))
  const share = (100 * rateOf(best)) / raw.rate
  console.log(
    `ceiling, kafkajs' plain producer with ${messages.length} of these messages, ${batch} a send, ${raw.flights} ` +
      `under way: ${Math.round(raw.rate)}/s; the best burst reached ${share.toFixed(0)} % of it`,
  )
  console.log(
    'peer, not in this run: django-celery-beat sends 10 000 intervals due at one second in 75.6 s (132/s, ' +
      'lateness p50 36 s, p99 75 s), 10 000 crontabs in 392 s',
  )
}

// Many tasks due at one second, on the standalone node: how long until the last run command is committed, and how
// late each was. Ceiling, in the same run: the dispatch log alone committing the same rows, 5 000 a tick.
//
//   npm run build && node loadtest/burst.mjs [tasks] [interval|crontab]

import { systemRandom } from '@almanac/adapters/system'
import { createTasks, machine, quantile, remove, startNode, temporaryFolder } from './world.mjs'

const count = Number(process.argv[2] ?? 10_000)
const kind = process.argv[3] ?? 'interval'

const folder = temporaryFolder()
const { node, store, stop } = await startNode(folder)
console.log(`${machine()}\n${count} tasks, ${kind}, due at one second`)

const leadMs = 5_000 + count * 1.5
const due =
  Math.ceil((Date.now() + leadMs) / (kind === 'crontab' ? 60_000 : 1_000)) *
  (kind === 'crontab' ? 60_000 : 1_000)
const at = new Date(due)
const schedule =
  kind === 'crontab'
    ? { crontab: { minute: `${at.getUTCMinutes()}`, hour: `${at.getUTCHours()}`, timezone: 'Europe/Warsaw' } }
    : { interval: { every: 1, period: 'days' } }
if (kind === 'crontab') {
  const local = new Intl.DateTimeFormat('en', {
    hour: 'numeric',
    hourCycle: 'h23',
    timeZone: 'Europe/Warsaw',
  })
  schedule.crontab.hour = local.format(at)
}
const began = performance.now()
await createTasks(node, count, (index) => ({
  name: `burst ${index}`,
  task: 'app.tasks.burst',
  schedule,
  ...(kind === 'interval' ? { startTime: due } : {}),
  args: [index, 'payload'],
  kwargs: { region: 'eu', dry: false },
}))
console.log(
  `created at ${Math.round(count / ((performance.now() - began) / 1000))}/s, due ${at.toISOString()}`,
)
if (Date.now() > due - 1_000) throw new Error('creating took too long: more lead is needed')

const emitted = () => node.status().counters.runs_emitted_total
while (emitted() < count) await new Promise((resolve) => setTimeout(resolve, 20))

const latenesses = []
let cursor
do {
  const page = node.queries.runs(
    'default',
    {},
    cursor === undefined ? { limit: 1000 } : { limit: 1000, cursor },
  )
  for (const { command } of page.items) latenesses.push(command.emittedAt - command.scheduledAt)
  cursor = page.nextCursor ?? undefined
} while (cursor !== undefined)
latenesses.sort((a, b) => a - b)
const commands = node.queries.runs('default', {}, { limit: 1000 }).items.map((run) => run.command)
const drainMs = latenesses.at(-1)
console.log(
  `drained in ${(drainMs / 1000).toFixed(2)} s: ${Math.round(count / (drainMs / 1000))} runs/s; ` +
    `lateness p50 ${quantile(latenesses, 0.5)} ms, p99 ${quantile(latenesses, 0.99)} ms, max ${drainMs} ms; ` +
    `RSS ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`,
)
await node.stop()

// The ceiling: the same store, the same rows, nothing to decide.
const random = systemRandom()
const claim = await store.dispatchLog.claim(0)
const batch = 5_000
const ticks = Math.max(1, Math.ceil(count / batch))
let seq = claim.checkpoint?.seq ?? 0
const start = performance.now()
for (let tick = 0; tick < ticks; tick += 1) {
  const size = Math.min(batch, count - tick * batch)
  const runs = Array.from({ length: size }, (_, index) => ({
    ...commands[index % commands.length],
    runId: random.token(16),
  }))
  seq += 1
  const next = { ...claim.checkpoint, seq, runs: size, term: claim.term }
  const outcome = await claim.commit({ runs, skips: [], resets: [], next })
  if (outcome !== 'committed') throw new Error(outcome)
}
const ceiling = count / ((performance.now() - start) / 1000)
console.log(
  `ceiling, the dispatch log alone: ${Math.round(ceiling)} runs/s; ` +
    `reached ${((count / (drainMs / 1000) / ceiling) * 100).toFixed(0)} % of it`,
)
await stop()
remove(folder)

/**
 * How fast is the store on this machine? Run it after a build: `node packages/adapters/bench/sqlite.mjs
 * [tasks]`. Prints one line for each measurement, with the processor time, which a busy machine falsifies
 * less. The folder is temporary; set TMPDIR to measure another disk.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, openViewStore } from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'

const taskCount = Number(process.argv[2] ?? 100_000)
const folder = mkdtempSync(join(tmpdir(), 'almanac-bench-'))
const options = {
  folder,
  clock: systemClock(),
  random: systemRandom(),
  onFatal: (error) => {
    throw error
  },
}
let store = openStore(options)

const print = (what, count, unit, ms, cpuMs) => {
  const rate = Math.round((count / ms) * 1000).toLocaleString('en')
  const times = `${Math.round(ms)} ms, ${Math.round(cpuMs)} ms CPU`
  process.stdout.write(`${what.padEnd(48)} ${rate.padStart(10)} ${unit}/s  (${times})\n`)
}

const timed = async (what, count, unit, work) => {
  const start = performance.now()
  const cpu = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  print(what, count, unit, performance.now() - start, (user + system) / 1000)
}

const metadata = {
  namespace: 'default',
  actor: 'bench',
  at: 1,
  correlationId: 'c',
  previousHash: 'f'.repeat(64),
}
const event = (id) => ({
  id,
  type: 'TaskChanged',
  version: 1,
  data: { changes: { enabled: true } },
  metadata,
})

const appends = async (writers, total) => {
  const each = Math.ceil(total / writers)
  await timed(`append, ${writers} at a time`, each * writers, 'events', () =>
    Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        const stream = `task-00-${writers}-${writer}`
        for (let n = 0; n < each; n++) {
          await store.eventLog.append(stream, n === 0 ? 'none' : n - 1, [event(`${stream}-${n}`)])
        }
      }),
    ),
  )
}

const run = (seq, n) => ({
  runId: `${seq}-${n}-${'0'.repeat(20)}`,
  namespace: 'default',
  taskId: `task-${n}`,
  taskName: `A task with number ${n}`,
  task: 'app.tasks.run',
  args: [1, 2, 'three'],
  kwargs: { region: 'eu', level: 3 },
  headers: {},
  queue: 'default',
  exchange: null,
  routingKey: null,
  priority: null,
  scheduledAt: seq * 1000,
  emittedAt: seq * 1000 + 3,
  expiresAt: null,
  kind: 'scheduled',
  overlap: 'allow',
  maxAttempts: 1,
  taskRevision: 0,
  partition: 0,
  seq,
})

const ticks = async (count, size) => {
  const claim = await store.dispatchLog.claim(0)
  let seq = claim.checkpoint?.seq ?? 0
  await timed(`ticks of ${size} runs`, count * size, 'runs', async () => {
    for (let tick = 0; tick < count; tick++) {
      seq += 1
      const next = { seq, term: claim.term, cursor: { at: seq, taskId: '' }, evaluatedAt: seq }
      const runs = Array.from({ length: size }, (_, n) => run(seq, n))
      const outcome = await claim.commit({ runs, skips: [], resets: [], next })
      if (outcome !== 'committed') throw new Error(outcome)
    }
  })
}

const work = async (workers, max, total) => {
  const now = 1e9
  let left = total
  await timed(`lease and ack, ${workers} workers, ${max} a lease`, total, 'runs', () =>
    Promise.all(
      Array.from({ length: workers }, async (_, worker) => {
        while (left > 0) {
          left -= max
          const request = {
            namespace: 'default',
            queue: 'default',
            max,
            worker: `${worker}`,
            leaseMs: 1e6,
            now,
          }
          const leased = await store.runStore.lease(request)
          await Promise.all(
            leased.map(({ run: { command }, leaseToken }) =>
              store.runStore.ack(command.runId, leaseToken, now),
            ),
          )
        }
      }),
    ),
  )
}

const task = (n) => ({
  taskId: `01J${String(n).padStart(23, '0')}`,
  namespace: 'default',
  spec: {
    name: `task ${n}`,
    task: 'app.tasks.run',
    schedule: { crontab: { minute: String(n % 60), hour: '*', timezone: 'UTC' } },
    args: [n],
    kwargs: {},
    headers: {},
    queue: null,
    exchange: null,
    routingKey: null,
    priority: null,
    expires: null,
    expireSeconds: null,
    oneOff: false,
    maxRuns: null,
    startTime: null,
    enabled: true,
    description: '',
    labels: {},
    catchUp: { policy: 'latest', windowSeconds: null, max: 100 },
    overlap: 'allow',
    jitterSeconds: 0,
    maxAttempts: 1,
  },
  status: 'active',
  revision: 0,
  createdAt: 1,
  changedAt: 1,
  changedBy: 'bench',
  armedAt: 1,
  runsLeft: null,
  anchor: 1,
  quarantine: null,
  disabledCause: null,
  disabledReason: null,
  imported: null,
  historyResetAt: null,
  hash: 'f'.repeat(64),
})

const openViews = (check) =>
  openViewStore({
    path: join(folder, 'bench-views.db'),
    log: { id: 'bench', position: 1e9 },
    notice: print,
    check,
  })

const views = async () => {
  let viewStore = openViews('none')
  const batch = 2000
  await timed(`views: apply ${taskCount} new tasks`, taskCount, 'tasks', () => {
    for (let start = 0; start < taskCount; start += batch) {
      const tasks = Array.from({ length: Math.min(batch, taskCount - start) }, (_, n) => ({
        state: task(start + n),
        position: start + n + 1,
        at: start + n,
      }))
      const position = start + tasks.length
      viewStore.apply({ position, at: position, tasks, schedules: [], calendars: [], markers: new Map() })
    }
  })
  const changes = Math.min(taskCount, 2000)
  await timed('views: apply changes, one a batch', changes, 'changes', () => {
    for (let n = 0; n < changes; n++) {
      const position = taskCount + n + 1
      const state = { ...task(n), revision: 1 }
      const tasks = [{ state, position, at: position }]
      viewStore.apply({ position, at: position, tasks, schedules: [], calendars: [], markers: new Map() })
    }
  })
  await timed('views: plannable', taskCount, 'tasks', () => {
    let after = ''
    let count = 0
    for (;;) {
      const some = viewStore.plannable(after, 1000)
      if (some.length === 0) break
      count += some.length
      after = some.at(-1).taskId
    }
    if (count !== taskCount) throw new Error(`${count} tasks`)
  })
  const list = (what, filter) =>
    timed(`views: list 50 of ${taskCount}, ${what}`, 1, 'lists', () =>
      viewStore.listTasks('default', filter, { limit: 50 }),
    )
  await list('no filter', {})
  await list('enabled', { enabled: true })
  await list('text search', { q: 'TASK 99' })
  await list('label', { labels: ['team=blue'] })
  await timed('views: counts', 1, 'calls', () => viewStore.counts())
  viewStore.close()
  const size = Math.round(statSync(join(folder, 'bench-views.db')).size / 1e6)
  for (const check of ['none', 'quick']) {
    await timed(`views: open, ${size} MB, check ${check}`, 1, 'opens', () => {
      viewStore = openViews(check)
    })
    viewStore.close()
  }
}

const runLists = async () => {
  const list = (what, filter) =>
    timed(`runs: list 50, ${what}`, 1, 'lists', () => store.runStore.list('default', filter, { limit: 50 }))
  await list('no filter', {})
  await list('failed', { status: 'failed' })
  await list('queued', { status: 'queued' })
  await list('one task', { taskId: 'task-1' })
  await list('time range', { from: 100_000, until: 150_000 })
}

for (const [writers, total] of [
  [1, 2000],
  [10, 20_000],
  [100, 50_000],
  [1000, 100_000],
]) {
  await appends(writers, total)
}
await ticks(100, 1000)
await ticks(1000, 1)
await work(1, 1, 1000)
await work(10, 10, 20_000)
await work(50, 100, 50_000)
await timed('read the log, pages of 1000', await store.eventLog.head(), 'events', async () => {
  let position = 0
  for (;;) {
    const page = await store.eventLog.readAll(position, 1000)
    if (page.events.length === 0) break
    position = page.position
  }
})
await runLists()
await views()

const size = Math.round(statSync(join(folder, 'almanac.db')).size / 1e6)
await store.close()
for (const check of ['none', 'quick', 'full']) {
  await timed(`open, ${size} MB, check ${check}`, 1, 'opens', () => {
    store = openStore({ ...options, check })
  })
  await store.close()
}
rmSync(folder, { recursive: true, force: true })

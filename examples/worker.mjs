#!/usr/bin/env node
// A worker for Almanac in plain Node 20, without dependencies: it leases runs over HTTP, does them, and reports.
//
//   node examples/worker.mjs                          the queues of the django-celery-beat fixture
//   node examples/worker.mjs emails reports           other queues
//   node examples/worker.mjs --help
//
// What it shows:
// - a lease is held by heartbeats while a run takes long, and lapses when the worker dies: then another gets it;
// - runs are handed out at least once, so the worker remembers which run ids it has done, in a file;
// - a server that restarts is waited for; Ctrl-C finishes what has begun, then ends.

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { env } from 'node:process'
import { parseArgs } from 'node:util'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string', default: env.ALMANAC_URL ?? 'http://127.0.0.1:7420' },
    namespace: { type: 'string', default: env.ALMANAC_NAMESPACE ?? 'default' },
    worker: { type: 'string', default: `${hostname()}-${process.pid}` },
    state: { type: 'string', default: '.cache/worker-done.log' },
    concurrency: { type: 'string', default: '4' },
    lease: { type: 'string', default: '30' },
    help: { type: 'boolean', default: false },
  },
})

const say = (text) => process.stdout.write(`${new Date().toISOString()} ${text}\n`)

if (options.help) {
  process.stdout.write(`node examples/worker.mjs [queue ...] [options]

  --url URL            the server (ALMANAC_URL, else http://127.0.0.1:7420)
  --namespace NAME     (ALMANAC_NAMESPACE, else default)
  ALMANAC_KEY          the key, where the server asks for one
  --worker NAME        shown in the run history (host and process id)
  --state FILE         remembers which runs were done (.cache/worker-done.log)
  --concurrency N      runs at a time of each queue (4)
  --lease SECONDS      how long a run may be held without a heartbeat (30)
`)
  process.exit(0)
}

// An exchange has a queue of its own: tasks with an exchange and no queue go there.
const queues =
  positionals.length > 0
    ? positionals
    : ['default', 'backup_queue', 'high_priority', 'exchange:custom_exchange']
const concurrency = Number(options.concurrency)
const leaseSeconds = Number(options.lease)

// ---- What there is to do ----------------------------------------------------------------------------------------

/** Handlers by task name. Each gets the run and a signal that fires when the run is cancelled or its lease is lost. */
const handlers = {
  'myapp.tasks.backup_database': async (run, signal) => {
    say(`  backing up, scheduled for ${run.scheduledAt}`)
    await sleep(2000, signal)
  },
  'demo.long': async (run, signal) => {
    // Longer than a lease: the heartbeats keep it.
    await sleep((run.args[0] ?? 60) * 1000, signal)
  },
  'demo.fail': async () => {
    throw new Error('this one always fails')
  },
}

/** For every task without a handler of its own: print it. */
const printIt = async (run) => {
  say(
    `  ${run.task}(${[...run.args.map((arg) => JSON.stringify(arg)), JSON.stringify(run.kwargs)].join(', ')})`,
  )
}

// ---- Done before? -----------------------------------------------------------------------------------------------

/** The ids of runs that were done, one a line. At a real worker this belongs into the same transaction as the work. */
const openDone = (file) => {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  const ids = new Set(text.split('\n').filter((line) => line !== ''))
  mkdirSync(dirname(file), { recursive: true })
  const descriptor = openSync(file, 'a')
  return {
    has: (id) => ids.has(id),
    add: (id) => {
      ids.add(id)
      writeSync(descriptor, `${id}\n`)
      fsyncSync(descriptor)
    },
    size: () => ids.size,
    close: () => closeSync(descriptor),
  }
}

// ---- HTTP -------------------------------------------------------------------------------------------------------

const base = `${options.url.replace(/\/+$/, '')}/v1/namespaces/${encodeURIComponent(options.namespace)}`

/** Thrown for an answer that says no; the server was reached. */
class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? `HTTP ${status}`)
    this.status = status
    this.code = problem?.code ?? 'unknown'
  }
}

/** Needed once the server has keys: one with the scope runs:work. */
const credential = env.ALMANAC_KEY === undefined ? {} : { authorization: `Bearer ${env.ALMANAC_KEY}` }

const post = async (path, body) => {
  const response = await fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...credential },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await response.text()
  const answer = text === '' ? undefined : JSON.parse(text)
  if (!response.ok) throw new Refused(response.status, answer)
  return answer
}

/** The server is away, or says that it cannot answer now: worth asking again. */
const isAway = (error) => !(error instanceof Refused) || error.status >= 500 || error.status === 429

const stopping = new AbortController()

const sleep = (ms, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const give = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', give)
      resolve()
    }, ms)
    signal?.addEventListener('abort', give, { once: true })
  })

/** True until Ctrl-C; waits in between, a little longer each time. */
const pause = async (attempt) => {
  await sleep(Math.min(5000, 250 * 2 ** attempt), stopping.signal).catch(() => undefined)
  return !stopping.signal.aborted
}

let away = false
const noteAway = (error) => {
  if (!away) say(`! server away (${error.cause?.code ?? error.message}), asking again`)
  away = true
}
const noteBack = () => {
  if (away) say('! server is back')
  away = false
}

// ---- One run ----------------------------------------------------------------------------------------------------

/** Keeps the lease of a run until `stop` is called. Aborts the work when the lease is lost or the run is cancelled. */
const keepAlive = (run, work) => {
  const timer = setInterval(
    async () => {
      try {
        const { cancelRequested } = await post(`/runs/${run.runId}/heartbeat`, {
          leaseToken: run.leaseToken,
          leaseSeconds,
        })
        if (cancelRequested) work.abort(new Error('cancelled: a newer run takes its place'))
      } catch (error) {
        if (isAway(error)) noteAway(error)
        else work.abort(new Error(`lease lost: ${error.message}`))
      }
    },
    (leaseSeconds * 1000) / 3,
  )
  return () => clearInterval(timer)
}

/** Reports, and asks again while the server is away: what was done shall be known. */
const report = async (run, what, body) => {
  for (let attempt = 0; ; attempt++) {
    try {
      await post(`/runs/${run.runId}/${what}`, { leaseToken: run.leaseToken, ...body })
      return noteBack()
    } catch (error) {
      if (!isAway(error)) return say(`! ${run.runId} ${what}: ${error.code}: ${error.message}`)
      noteAway(error)
      // Given up on Ctrl-C: it is remembered as done, so the next worker with this file only acks it.
      if (!(await pause(attempt))) return undefined
    }
  }
}

const label = (run) => `${run.runId.slice(0, 12)} ${JSON.stringify(run.taskName)}`

const perform = async (run, done) => {
  if (done.has(run.runId)) {
    say(`! ${label(run)} came twice (attempt ${run.attempt}); it was done before, so it is only acked`)
    return report(run, 'ack', {})
  }
  const late = Date.now() - Date.parse(run.scheduledAt)
  say(`> ${label(run)} from ${run.queue}, ${run.kind}, ${late} ms after its instant, attempt ${run.attempt}`)
  const work = new AbortController()
  const rest = keepAlive(run, work)
  try {
    await (handlers[run.task] ?? printIt)(run, work.signal)
  } catch (error) {
    rest()
    say(`x ${label(run)} failed: ${error.message}`)
    return report(run, 'fail', { error: String(error.message).slice(0, 8000), retryInSeconds: 5 })
  }
  rest()
  done.add(run.runId)
  await report(run, 'ack', {})
  return say(`= ${label(run)} done`)
}

// ---- One queue --------------------------------------------------------------------------------------------------

/** Up to `max` runs, or none when the server is away. */
const lease = async (queue, max) => {
  try {
    // A short wait, so that Ctrl-C need not cut a request that may just be handing out a run.
    const body = { max, waitMs: 2000, worker: options.worker, leaseSeconds }
    const { runs } = await post(`/queues/${encodeURIComponent(queue)}/lease`, body)
    noteBack()
    return runs
  } catch (error) {
    if (!isAway(error)) throw error
    noteAway(error)
    return undefined
  }
}

/** Works on one queue until Ctrl-C: as many runs at a time as there are places. */
const serve = async (queue, done) => {
  const busy = new Set()
  for (let failures = 0; !stopping.signal.aborted; ) {
    if (busy.size >= concurrency) {
      await Promise.race(busy)
      continue
    }
    const runs = await lease(queue, concurrency - busy.size)
    failures = runs === undefined ? failures + 1 : 0
    if (runs === undefined) await pause(failures)
    for (const run of runs ?? []) {
      const work = perform(run, done).finally(() => busy.delete(work))
      busy.add(work)
    }
  }
  await Promise.all(busy)
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(130)
    say('! finishing what has begun (Ctrl-C again ends at once)')
    stopping.abort(new Error('stopping'))
  })
}

const done = openDone(options.state)
say(`worker ${options.worker} on ${queues.join(', ')} of ${options.namespace} at ${options.url}`)
if (done.size() > 0) say(`${done.size()} runs were done before, as ${options.state} remembers`)
await Promise.all(queues.map((queue) => serve(queue, done)))
done.close()
say('ended')

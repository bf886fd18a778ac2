// What telemetry costs: the same work with telemetry off, with metrics, and with traces at 1 % and at 100 %, side by
// side. The modes take turns, round by round, each in a process of its own; medians are printed.
//
//   npm run build && node loadtest/telemetry.mjs [rounds] [folder of a build from before telemetry]
//
// - start: to load and start telemetry, and what memory it takes.
// - commands: tasks created on the standalone server by HTTP, 32 connections.
// - ticks: a node over memory whose clock the bench moves: 64 partitions, each ticks every second. With few runs in a
//   tick, and with many.
//
// CPU time for each piece of work says more than the rate where other work shares the machine.

import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { machine, remove, temporaryFolder } from './world.mjs'

const self = fileURLToPath(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))
const standalone = join(root, 'services/standalone/bin/almanac-standalone.js')
const connections = 32
const commandSeconds = 4

/** `before`: the same work by a build that knows no telemetry. */
const modes = {
  off: { telemetry: 'off' },
  metrics: { telemetry: 'metrics' },
  'traces 1 %': { telemetry: 'on', ratio: 0.01 },
  'traces 100 %': { telemetry: 'on', ratio: 1 },
}

const configOf = ({ telemetry, ratio = 0 }, endpoint) => ({
  mode: telemetry,
  nodeId: 'load',
  cluster: 'load',
  region: '',
  version: '0',
  sampleRatio: ratio,
  endpoint: telemetry === 'on' ? endpoint : null,
  metricsEveryMs: 1_000,
  flushDeadlineMs: 5_000,
})

/** What else the machine does only adds to a time and takes from a rate. */
const best = (unit, values) => (rates.includes(unit) ? Math.max(...values) : Math.min(...values))
const rates = ['ticks', 'runs', 'commands']
const cpuMs = ({ user, system }) => (user + system) / 1_000

async function measureStart({ mode, endpoint }) {
  const { systemClock } = await import('@almanac/adapters/system')
  globalThis.gc()
  const rss = process.memoryUsage().rss
  const begun = performance.now()
  const { startTelemetry } = await import('@almanac/adapters/telemetry')
  const { stop } = await startTelemetry(configOf(mode, endpoint), {
    clock: systemClock(),
    onFault: console.error,
  })
  const ms = performance.now() - begun
  globalThis.gc()
  const mib = (process.memoryUsage().rss - rss) / 2 ** 20
  await stop()
  return { ms, mib }
}

async function measureTicks({ mode, endpoint, tasks, seconds, former }) {
  const load = (name) =>
    import(
      former === undefined
        ? `@almanac/${name}`
        : pathToFileURL(`${former}/packages/${name}/dist/index.js`).href
    )
  const engine = await load('engine')
  const clock = new engine.ManualClock(Date.UTC(2026, 0, 1))
  const { startTelemetry } = await import('@almanac/adapters/telemetry')
  const { systemClock } = await import('@almanac/adapters/system')
  // Where the clock is moved as fast as it goes, more spans end than can be sent.
  const world = { clock: systemClock(), onFault: () => {} }
  const { telemetry, stop } = await startTelemetry(configOf(mode, endpoint), world)
  const runs = engine.memoryRunStore(new engine.SeededRandom(1))
  const node = new engine.Node(
    {
      log: engine.memoryEventLog(),
      dispatchLog: engine.memoryDispatchLog(runs),
      views: engine.memoryViewStore(),
      runs,
      clock,
      random: new engine.SeededRandom(2),
      ...(former === undefined ? { telemetry } : {}),
    },
    {
      ...engine.defaultNodeOptions,
      nodeId: 'load',
      tzVersion: 'x',
      runRetentionMs: 5_000,
      housekeepingMs: 5_000,
    },
    { onProgress: () => {}, onFault: console.error, onFatal: console.error },
  )
  await node.start()
  const schedule = { interval: { every: 1, period: 'seconds' } }
  for (let i = 0; i < tasks; i++) {
    const context = { namespace: 'default', actor: 'load', at: clock.now(), correlationId: 'load' }
    await node.commands.createTask(context, { name: `task ${i}`, task: 'demo', schedule })
  }
  // Warm, and past the first ticks.
  for (let i = 0; i < seconds / 4; i++) await clock.advance(1_000)
  const before = node.status().counters
  const cpu = process.cpuUsage()
  const begun = performance.now()
  for (let i = 0; i < seconds; i++) {
    await clock.advance(1_000)
    // What is sent leaves while the clock stands.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const took = (performance.now() - begun) / 1_000
  const used = cpuMs(process.cpuUsage(cpu))
  const after = node.status().counters
  await node.stop()
  await stop()
  const ticks = after.ticks_total - before.ticks_total
  const emitted = after.runs_emitted_total - before.runs_emitted_total
  return {
    ticks: ticks / took,
    runs: emitted / took,
    tickUs: (used * 1_000) / ticks,
    runUs: (used * 1_000) / emitted,
  }
}

async function measureCommands({ mode, endpoint }) {
  const folder = temporaryFolder()
  const env = {
    ...process.env,
    ALMANAC_TELEMETRY: mode.telemetry,
    OTEL_TRACES_SAMPLER_ARG: String(mode.ratio ?? 0),
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    ...(mode.telemetry === 'on' ? { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } : {}),
  }
  const server = spawn(process.execPath, [standalone, '--port', '0', '--data', folder], { env })
  server.stderr.pipe(process.stderr)
  const url = await new Promise((resolve) => {
    server.stdout.on('data', (chunk) => {
      const found = /http:\/\/[\d.]+:\d+/.exec(String(chunk))
      if (found !== null) resolve(found[0])
    })
  })
  await postTasks(url, 1, 'warm')
  const cpu = cpuOf(server.pid)
  const { count, seconds } = await postTasks(url, commandSeconds, 'task')
  const used = cpuOf(server.pid) - cpu
  server.kill('SIGTERM')
  await once(server, 'exit')
  remove(folder)
  return { commands: count / seconds, commandUs: (used * 1_000) / count }
}

/** Milliseconds, in steps of 10. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function postTasks(url, seconds, prefix) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const { hostname, port } = new URL(url)
  const begun = performance.now()
  let count = 0
  let next = 0
  const post = () =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' }
      const options = { agent, hostname, port, method: 'POST', path: '/v1/namespaces/default/tasks', headers }
      const sent = request(options, (answer) => {
        answer.resume()
        answer.on('end', () => (answer.statusCode === 201 ? resolve() : reject(new Error(answer.statusCode))))
      })
      sent.on('error', reject)
      sent.end(
        JSON.stringify({
          name: `${prefix} ${next++}`,
          task: 'demo',
          schedule: { crontab: { expression: '0 2 * * *' } },
        }),
      )
    })
  const loop = async () => {
    while (performance.now() - begun < seconds * 1_000) {
      await post()
      count++
    }
  }
  await Promise.all(Array.from({ length: connections }, loop))
  agent.destroy()
  return { count, seconds: (performance.now() - begun) / 1_000 }
}

const kinds = { start: measureStart, ticks: measureTicks, commands: measureCommands }

async function inChild(kind, input) {
  const child = fork(self, ['--child'], { execArgv: ['--expose-gc'] })
  child.send({ kind, input })
  let result
  child.on('message', (message) => {
    result = message
  })
  await once(child, 'exit')
  if (result === undefined) throw new Error(`${kind} has failed`)
  return result
}

/** Takes whatever it is sent. */
async function collector() {
  let bytes = 0
  const server = createServer((incoming, answer) => {
    incoming.on('data', (chunk) => {
      bytes += chunk.length
    })
    incoming.on('end', () => answer.setHeader('content-type', 'application/json').end('{}'))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${server.address().port}`,
    bytes: () => bytes,
    close: () => server.close(),
  }
}

async function main() {
  const rounds = Number(process.argv[2] ?? 3)
  const former = process.argv[3]
  const { endpoint, bytes, close } = await collector()
  const works = [
    ['start', {}],
    ['ticks', { tasks: 64, seconds: 200 }],
    ['ticks', { tasks: 1_600, seconds: 16 }],
    ['commands', {}],
  ]
  const names = Object.keys(modes)
  const all = former === undefined ? names : ['before', ...names]
  const found = new Map()
  for (let round = 0; round < rounds; round++) {
    for (const [kind, size] of works) {
      // Who is first is another one each round.
      const order = all.map((_, i) => all[(i + round) % all.length])
      for (const name of order) {
        if (name === 'before' && kind !== 'ticks') continue
        const mode = modes[name] ?? modes.off
        const result = await inChild(kind, {
          mode,
          endpoint,
          ...size,
          ...(name === 'before' ? { former } : {}),
        })
        for (const [unit, value] of Object.entries(result)) {
          const key = `${kind}${size.tasks === undefined ? '' : ` of ${size.tasks} tasks`}, ${unit}|${name}`
          found.set(key, [...(found.get(key) ?? []), value])
        }
      }
    }
    console.error(
      `round ${round + 1} of ${rounds}, ${Math.round(bytes() / 2 ** 20)} MiB sent to the collector`,
    )
  }
  close()
  console.log(`${machine()}; best of ${rounds} rounds\n`)
  const rows = [...new Set([...found.keys()].map((key) => key.split('|')[0]))]
  console.log(['', ...all].join(' | '))
  for (const row of rows) {
    const cells = all.map((name) => {
      const values = found.get(`${row}|${name}`)
      if (values === undefined) return ''
      const value = best(row.split(', ').at(-1), values)
      return value >= 100 ? Math.round(value) : value.toFixed(1)
    })
    console.log([row, ...cells].join(' | '))
  }
}

if (process.argv[2] === '--child') {
  process.once('message', async ({ kind, input }) => {
    const result = await kinds[kind](input)
    process.send(result, () => process.exit(0))
  })
} else {
  await main()
}

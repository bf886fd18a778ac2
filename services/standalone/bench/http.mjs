// Commands through HTTP: creates tasks on the standalone server and, in the same run, posts the same bodies to a bare
// Fastify that parses and echoes them. Prints both and their ratio, and the server's
// CPU time for each request, which other work on the machine disturbs less.
//
//   npm run build && node services/standalone/bench/http.mjs [seconds per round] [rounds]
//
// The load comes from a child process with 64 keep-alive connections, so that it does not share the server's thread.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const self = fileURLToPath(import.meta.url)
const connections = 64
const path = '/v1/namespaces/default/tasks'

const bodyOf = (name) =>
  JSON.stringify({
    name,
    task: 'reports.tasks.build',
    schedule: { crontab: { minute: '0', hour: '2', dayOfWeek: 'mon-fri', timezone: 'Europe/Berlin' } },
    args: ['weekly', 7],
    kwargs: { format: 'pdf', recipients: ['a@example.org', 'b@example.org'] },
    queue: 'reports',
    priority: 5,
    description: 'A report for every working day',
    labels: { team: 'finance' },
  })

async function load({ url, seconds, prefix }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const { hostname, port } = new URL(url)
  const end = performance.now() + seconds * 1_000
  const times = []
  let count = 0
  let failed = 0
  const one = () =>
    new Promise((resolve) => {
      const body = bodyOf(`${prefix}-${count++}`)
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const started = performance.now()
      const asked = request({ agent, hostname, port, path, method: 'POST', headers }, (answer) => {
        answer.resume()
        answer.on('end', () => {
          if (answer.statusCode >= 300) failed++
          times.push(performance.now() - started)
          resolve()
        })
      })
      asked.on('error', () => {
        failed++
        resolve()
      })
      asked.end(body)
    })
  const started = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < end) await one()
    }),
  )
  const took = (performance.now() - started) / 1_000
  agent.destroy()
  times.sort((a, b) => a - b)
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))]
  process.send({ count: times.length, perSecond: times.length / took, p50: at(0.5), p99: at(0.99), failed })
}

async function measure(url, seconds, prefix) {
  const child = fork(self, ['load'])
  const before = process.cpuUsage()
  child.send({ url, seconds, prefix })
  const [result] = await once(child, 'message')
  const { user, system } = process.cpuUsage(before)
  await once(child, 'exit')
  return { ...result, cpu: (user + system) / result.count }
}

async function main(seconds, rounds) {
  const { startStandalone } = await import('../dist/index.js')
  const { resolveConfig } = await import('@almanac/scheduler/service')
  const { default: fastify } = await import('fastify')
  const folder = mkdtempSync(join(tmpdir(), 'almanac-bench-'))
  const { config } = resolveConfig({ flags: { port: '0', data: folder } })
  const almanac = await startStandalone(config, { onFatal: (error) => process.stderr.write(`${error}\n`) })
  const echo = fastify()
  echo.post(path, async (asked, reply) => reply.code(201).send(asked.body))
  const echoUrl = await echo.listen({ host: '127.0.0.1', port: 0 })
  const line = ({ perSecond, p50, p99, failed, cpu }) =>
    `${perSecond.toFixed(0).padStart(6)}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ` +
    `${cpu.toFixed(0)} µs of CPU each, ${failed} failed`
  await measure(almanac.url, 1, 'warm')
  await measure(echoUrl, 1, 'warm')
  for (let round = 1; round <= rounds; round++) {
    const ours = await measure(almanac.url, seconds, `r${round}`)
    const bare = await measure(echoUrl, seconds, `r${round}`)
    const ratio = (bare.perSecond / ours.perSecond).toFixed(1)
    process.stdout.write(`almanac ${line(ours)}\necho    ${line(bare)}\necho / almanac: ${ratio}\n`)
  }
  await echo.close()
  await almanac.stop()
  rmSync(folder, { recursive: true, force: true })
}

if (process.argv[2] === 'load') {
  process.once('message', async (wanted) => {
    await load(wanted)
    process.disconnect()
  })
} else {
  await main(Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 3))
}

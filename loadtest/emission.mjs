// From the due index to a real Kafka broker: tasks that all come due at one second, several times over. Ceiling, in the
// same run and before each burst: the raw kafkajs producer with the same values, keys, headers, acks and batch, built
// beforehand, in the way to send that suits it best: of eight (sends under way, choice of partitions), each tried three
// times, the one with the best median.
//
//   npm run build && node --max-semi-space-size=64 loadtest/emission.mjs [tasks] [bursts]

import { kafkaWorld } from './kafka-world.mjs'
import { machine, quantile, seedTasks, temporaryFolder } from './world.mjs'

const count = Number(process.argv[2] ?? 100_000)
const bursts = Number(process.argv[3] ?? 4)
const batch = 1_000

const world = await kafkaWorld(temporaryFolder())
try {
  console.log(`${machine()}\n${count} tasks due at one second, one broker beside this process, acks all`)
  const runs = []
  const everyS = Math.max(30, Math.ceil(count / 2_500))
  const first = Math.ceil(Date.now() / 1_000) * 1_000
  const inputOf = (index) => ({
    name: `burst ${index}`,
    task: 'app.tasks.burst',
    schedule: { interval: { every: everyS, period: 'seconds' } },
    startTime: first,
    args: [index, 'payload'],
    kwargs: { region: 'eu', dry: false },
  })
  await world.startNode({
    seed: (log) => seedTasks(log, count, inputOf),
    onCommitted: (committed) => {
      for (const run of committed) runs.push(run)
    },
  })
  const rows = []
  let way
  for (let burst = 0; burst <= bursts; burst++) {
    // What was due while the node started is the warm-up.
    const sample = runs.slice(0, count)
    if (burst === 1) way = await bestWay(sample)
    const raw = burst === 0 ? undefined : await world.rawRate(sample, { batch, ...way })
    const due = first + Math.ceil((Date.now() + 500 - first) / (everyS * 1_000)) * everyS * 1_000
    await until(due - 100)
    runs.length = 0
    const began = process.cpuUsage()
    while (runs.length < count) await new Promise((resolve) => setTimeout(resolve, 20))
    const cpu = process.cpuUsage(began)
    const lateness = runs.map(({ emittedAt, scheduledAt }) => emittedAt - scheduledAt).sort((a, b) => a - b)
    const seconds = (world.lastCommitAt() - due) / 1_000
    const ours = count / seconds
    const cpuUs = (cpu.user + cpu.system) / count
    const text =
      `burst ${burst}: ${seconds.toFixed(2)} s, ${Math.round(ours)} runs/s, ${cpuUs.toFixed(1)} µs of CPU a run; ` +
      `lateness p50 ${quantile(lateness, 0.5)} ms, p99 ${quantile(lateness, 0.99)} ms`
    if (raw === undefined) console.log(`${text} (warm-up)`)
    else {
      rows.push({ ours, raw })
      console.log(`${text}; raw kafkajs ${Math.round(raw)}/s: ${((100 * ours) / raw).toFixed(0)} %`)
    }
  }
  console.log(
    `median share of the raw producer: ${(100 * median(rows.map(({ ours, raw }) => ours / raw))).toFixed(0)} %`,
  )
} finally {
  await world.close()
}

function until(instant) {
  return new Promise((resolve) => setTimeout(resolve, instant - Date.now()))
}

/** How the raw producer is fastest. */
async function bestWay(runs) {
  let best = { rate: 0 }
  for (const isTogether of [false, true]) {
    for (const flights of [1, 2, 4, 8]) {
      const rates = []
      for (let time = 0; time < 3; time++)
        rates.push(await world.rawRate(runs, { batch, flights, isTogether }))
      const rate = median(rates)
      if (rate > best.rate) best = { rate, flights, isTogether }
    }
  }
  const { rate, ...way } = best
  const partitions = way.isTogether ? 'a partition for each send' : 'partitions by key'
  console.log(
    `raw kafkajs is fastest with ${way.flights} sends under way, ${partitions}: ${Math.round(rate)}/s`,
  )
  return way
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return quantile(sorted, 0.5)
}

// From the due index to a real Kafka broker: tasks that all come due at one second, several times over. Ceiling, in the
// same run and before each burst: the raw kafkajs producer with the same values, keys, headers, acks and batch, built
// beforehand, at the number of sends under way and with the choice of partitions that suit it best.
//
//   npm run build && node loadtest/emission.mjs [tasks] [bursts]

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
  for (let burst = 0; burst <= bursts; burst++) {
    // What was due while the node started is the warm-up.
    const raw = burst === 0 ? undefined : await rawRate(runs.slice(0, count))
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
      rows.push({ ours, raw: raw.rate })
      const share = ((100 * ours) / raw.rate).toFixed(0)
      const how = `${raw.flights} under way, ${raw.isTogether ? 'a partition for each send' : 'partitions by key'}`
      console.log(`${text}; raw kafkajs ${Math.round(raw.rate)}/s (${how}): ${share} %`)
    }
  }
  const median = (values) =>
    quantile(
      [...values].sort((a, b) => a - b),
      0.5,
    )
  console.log(
    `median share of the raw producer: ${(100 * median(rows.map(({ ours, raw }) => ours / raw))).toFixed(0)} %`,
  )
} finally {
  await world.close()
}

function until(instant) {
  return new Promise((resolve) => setTimeout(resolve, instant - Date.now()))
}

/** The best of several numbers of sends under way, with and without a partition for each send. */
async function rawRate(runs) {
  let best = { rate: 0 }
  for (const isTogether of [false, true]) {
    for (const flights of [1, 2, 4, 8]) {
      const rate = await world.rawRate(runs, { batch, flights, isTogether })
      if (rate > best.rate) best = { rate, flights, isTogether }
    }
  }
  return best
}

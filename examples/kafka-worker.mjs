// A worker that takes runs from Kafka and tells what became of them. Node 20 and kafkajs are all it needs:
//   node examples/kafka-worker.mjs --kafka 127.0.0.1:7430 --prefix local --queue default
// Start several: they are one consumer group, and share the queue's partitions.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import kafkajs from 'kafkajs'

const { values: options } = parseArgs({
  options: {
    kafka: { type: 'string', default: '127.0.0.1:7430' },
    // The cluster's topic prefix: its name, unless ALMANAC_TOPIC_PREFIX says otherwise.
    prefix: { type: 'string', default: 'local' },
    queue: { type: 'string', default: 'default' },
    name: { type: 'string', default: `worker-${process.pid}` },
  },
})

const retryMs = 5_000
const say = (text) => process.stdout.write(`${text}\n`)

/** What to do for each kind of task; a run comes whole, as the HTTP API shows it. */
const handlers = {
  'demo.hello': async (run) => say(`hello from ${run.taskName}, due ${run.scheduledAt}`),
}
const fallback = async (run) => say(`${run.task} for ${run.taskName}, due ${run.scheduledAt}`)

const kafka = new kafkajs.Kafka({
  clientId: options.name,
  brokers: options.kafka.split(','),
  // It tries again by itself, and throws what it can't mend.
  logLevel: kafkajs.logLevel.NOTHING,
})
// kafkajs reads committed records only, unless it is told otherwise. Leave it so: others may be of a tick that failed.
// (Very rarely it shows one of those all the same. Its run comes again, with the same id.)
const consumer = kafka.consumer({ groupId: `${options.prefix}.${options.queue}.workers` })
const producer = kafka.producer({ idempotent: true })

/** The key is the run id, so that what is told of one run stays in order. */
const tell = (run, type, more = {}) =>
  producer.send({
    topic: `${options.prefix}.run-events`,
    messages: [
      {
        key: run.runId,
        value: JSON.stringify({
          version: 1,
          type,
          runId: run.runId,
          at: new Date().toISOString(),
          worker: options.name,
          ...more,
        }),
      },
    ],
  })

// A run can come again: after a worker died, or with the header `replayed`. Real work remembers the run ids it has
// done where it writes its results; this one remembers the last few in memory.
const done = new Set()
const remember = (runId) => {
  done.add(runId)
  if (done.size > 10_000) done.delete(done.values().next().value)
}

async function work({ message, heartbeat }) {
  const run = JSON.parse(message.value.toString())
  if (done.has(run.runId)) return
  if (run.expiresAt !== null && Date.parse(run.expiresAt) < Date.now()) {
    await tell(run, 'expired')
    return
  }
  // Kafka gives the partition to others when it hears nothing for 30 seconds, Almanac the run up after an hour.
  const signs = [
    setInterval(() => heartbeat().catch(() => {}), 3_000),
    setInterval(() => tell(run, 'progress').catch(() => {}), 600_000),
  ]
  try {
    for (let attempt = 1; (await attempted(run, attempt)) === 'again'; attempt += 1) await sleep(retryMs)
  } finally {
    for (const sign of signs) clearInterval(sign)
  }
  remember(run.runId)
}

/** Attempts are the worker's own: nobody delivers a run again because it has failed. */
async function attempted(run, attempt) {
  await tell(run, 'started', { attempt })
  try {
    await (handlers[run.task] ?? fallback)(run)
    await tell(run, 'succeeded', { attempt })
    return 'done'
  } catch (error) {
    const isLast = attempt >= run.maxAttempts
    const retryAt = isLast ? null : new Date(Date.now() + retryMs).toISOString()
    await tell(run, 'failed', { attempt, error: String(error?.message ?? error), retryAt })
    return isLast ? 'done' : 'again'
  }
}

await producer.connect()
await consumer.connect()
await consumer.subscribe({ topics: [`${options.prefix}.queue.${options.queue}`], fromBeginning: true })
await consumer.run({ eachMessage: work })
say(`${options.name} waits for runs of the queue ${options.queue}. Ctrl-C stops it.`)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await consumer.disconnect()
    await producer.disconnect()
  })
}

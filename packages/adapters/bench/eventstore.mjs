// How fast the EventStoreDB adapter is against the double as a process. It measures the client and the double, and no
// real server: `node packages/adapters/bench/eventstore.mjs` after `npm run build`. With an address it takes that one.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createStop } from '@almanac/engine'
import { EventStoreLog, parseEventStore } from '../dist/eventstore/index.js'
import { systemClock, systemRandom } from '../dist/system/index.js'

const [given] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'eventstore-bench-'))
const double = import.meta.resolve('@almanac/eventstore-double')
const script = fileURLToPath(new URL('../bin/eventstore-double.mjs', double))
const child = given === undefined ? spawn(process.execPath, [script, '--data', folder]) : undefined
const address =
  given ??
  (await new Promise((resolve) => {
    createInterface({ input: child.stdout }).once('line', (line) =>
      resolve(JSON.parse(line).connectionString),
    )
  }))

const prefix = `bench-${Date.now()}.`
const log = () =>
  new EventStoreLog({
    address: parseEventStore(address),
    prefix,
    clock: systemClock(),
    random: systemRandom(),
    deadlineMs: 60_000,
  })
const writer = log()

const event = (id) => ({
  id: `00000000-0000-8000-8000-${id.toString(16).padStart(12, '0')}`,
  type: 'TaskChanged',
  version: 1,
  data: { changes: { description: 'x'.repeat(100), enabled: true } },
  metadata: {
    namespace: 'default',
    actor: 'bench',
    at: 1_700_000_000_000,
    correlationId: 'c',
    previousHash: 'f'.repeat(64),
  },
})
let made = 0
const batch = (count) => Array.from({ length: count }, () => event(made++))

const begin = () => ({ time: performance.now(), cpu: process.cpuUsage() })
const say = (what, count, { time, cpu }) => {
  const { user, system } = process.cpuUsage(cpu)
  const rates = [count / ((performance.now() - time) / 1000), count / ((user + system) / 1e6)]
  const [rate, ofCpu] = rates.map((each) => Math.round(each).toLocaleString('en').padStart(9))
  process.stdout.write(`${what.padEnd(44)} ${rate}/s, ${ofCpu} per second of this process' CPU\n`)
}

async function appends(what, count, size, inFlight) {
  const startedAt = begin()
  let next = 0
  const one = async () => {
    for (let n = next++; n < count; n = next++) await writer.append(`s-${what}-${n}`, 'none', batch(size))
  }
  await Promise.all(Array.from({ length: inFlight }, one))
  say(`${what}, appends`, count, startedAt)
  if (size > 1) say(`${what}, events`, count * size, startedAt)
}

async function follows(what, count, after = 0) {
  const reader = log()
  const stop = createStop()
  const startedAt = begin()
  let seen = 0
  for await (const page of reader.follow(after, stop)) {
    seen += page.events.length
    if (seen >= count) break
  }
  say(what, count, startedAt)
  await reader.close()
}

process.stdout.write(`${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}\n`)
await appends('one by one', 2_000, 1, 1)
await appends('200 at once', 20_000, 1, 200)
await appends('200 events each, 4 at once', 200, 200, 4)
await follows('follow from the start, events', made)
const startedAt = begin()
let position = 0
let read = 0
for (;;) {
  const page = await writer.readAll(position, 2_000)
  if (page.events.length === 0) break
  read += page.events.length
  position = page.position
}
say('readAll in pages of 2 000, events', read, startedAt)
const head = begin()
for (let n = 0; n < 500; n++) await writer.head()
say('head, one by one', 500, head)
await writer.close()
child?.kill()
rmSync(folder, { recursive: true, force: true })

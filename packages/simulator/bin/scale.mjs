#!/usr/bin/env node
// Measures clusters of 1 to 64 nodes in the simulated world: see `--help`.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import {
  complaintsOf,
  measure,
  nodeCounts,
  partitionCounts,
  reportOf,
  restMsOf,
  tablesOf,
  workload,
} from '@almanac/simulator/scale'

/** From the root of the repository. */
const page = 'docs/reference/scale.md'

const help = `Measures clusters of 1 to 64 nodes in the simulated world, without faults. What is counted is compared
with what was computed on paper.

npm run simulate:scale -- [options]

  --nodes <a,b>       only these numbers of nodes (default ${nodeCounts.join(',')})
  --partitions <a,b>  only these numbers of partitions (default ${partitionCounts.join(',')})
  --jobs <n>          clusters at once (default 2); the biggest one needs about 2 GB
  --write             put the tables into ${page}; else they are printed

Ends with 1 when a count differs from what was computed, when a partition moved that need not have, when a commit was
fenced, or when a run was lost, doubled or early.`

const begin = '<!-- scale:begin -->'
const end = '<!-- scale:end -->'

async function main() {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h' },
      nodes: { type: 'string' },
      partitions: { type: 'string' },
      jobs: { type: 'string' },
      write: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(`${help}\n`)
    return
  }
  const settings = numbersOf(values, 'partitions', partitionCounts).flatMap((partitions) =>
    numbersOf(values, 'nodes', nodeCounts).map((nodes) => ({
      ...workload,
      nodes,
      partitions,
      restMs: restMsOf(nodes),
    })),
  )
  const [jobs] = numbersOf(values, 'jobs', [2])
  const reports = await allOf(settings, jobs)
  const tables = tablesOf(reports)
  if (values.write) writeInto(page, tables)
  else process.stdout.write(`${tables}\n`)
  const complaints = reports.flatMap(complaintsOf)
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`)
  process.exitCode = complaints.length === 0 ? 0 : 1
}

function numbersOf(values, name, all) {
  if (values[name] === undefined) return all
  return values[name].split(',').map((text) => {
    const number = Number(text)
    if (!Number.isInteger(number) || number < 1) throw new Error(`--${name}: "${text}" is no number above 0`)
    return number
  })
}

/** In the order of the settings. The biggest begin first, so that none is left alone at the end. */
async function allOf(settings, jobs) {
  const reports = settings.map(() => undefined)
  const places = settings.map((_, place) => place).sort((a, b) => sizeOf(settings[b]) - sizeOf(settings[a]))
  let next = 0
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      while (next < places.length) {
        const place = places[next++]
        const { nodes, partitions } = settings[place]
        const startedAt = performance.now()
        reports[place] = await inWorker(settings[place])
        const seconds = Math.round((performance.now() - startedAt) / 1000)
        process.stderr.write(`${nodes} nodes, ${partitions} partitions: ${seconds} s\n`)
      }
    }),
  )
  return reports
}

const sizeOf = ({ nodes, partitions }) => nodes * partitions

/** What is young is mostly waste, and there is much of it: room for it saves a third of the time. */
const resourceLimits = { maxYoungGenerationSizeMb: 128, maxOldGenerationSizeMb: 4096 }

function inWorker(setting) {
  const worker = new Worker(new URL(import.meta.url), { resourceLimits })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.postMessage(setting)
  }).finally(() => worker.terminate())
}

function writeInto(file, tables) {
  const text = readFileSync(file, 'utf8')
  const [before, rest] = text.split(begin)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`${file} has no place for the tables: ${begin} ${end}`)
  writeFileSync(file, `${before}${begin}\n\n${tables}\n\n${end}${after}`)
}

if (isMainThread) await main()
else parentPort.on('message', async (setting) => parentPort.postMessage(reportOf(await measure(setting))))

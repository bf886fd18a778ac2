#!/usr/bin/env node
// Runs the whole cluster from seeds, and judges each: see `--help`.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Campaign, faultNames, replayCommand, runSeed, seedsToCoverAll, shrink } from '@almanac/simulator'

const help = `Runs whole clusters in virtual time, each from its seed, with faults, and judges what they did.

npm run simulate -- [options]

  --seeds <n>        how many seeds (default 100)
  --from <n>         the first one (default 1)
  --seed <n>         this one alone, with its trace hash and all findings
  --jobs <n>         seeds at once (default 1)
  --twice            each seed twice: both runs must leave the same trace
  --only <a,b>       only these kinds of faults, in every seed
  --without <a,b>    not these kinds of faults
  --schedulers, --apis, --partitions, --tasks <n>   instead of what the seed draws
  --span <ms>        length of the phase with faults
  --no-shrink        do not look for a smaller failure
  --trace <n>        with --seed: the last so many lines of what happened
  --history <file>   write the history of --seed as JSON lines (for \`almanac history check --page\`)
  --faults           list the kinds of faults

Ends with 1 when a seed fails, or when a kind of fault or a type of event never occurred in
${seedsToCoverAll} seeds or more.`

const number = { type: 'string' }
const { values } = parseArgs({
  args: isMainThread ? process.argv.slice(2) : workerData.args,
  options: {
    help: { type: 'boolean', short: 'h' },
    seeds: number,
    from: number,
    seed: number,
    jobs: number,
    twice: { type: 'boolean' },
    only: { type: 'string' },
    without: { type: 'string' },
    schedulers: number,
    apis: number,
    partitions: number,
    tasks: number,
    span: number,
    'no-shrink': { type: 'boolean' },
    trace: number,
    history: { type: 'string' },
    faults: { type: 'boolean' },
  },
})

function wholeOf(name) {
  const text = values[name]
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text)) throw new Error(`--${name} is "${text}", not a whole number`)
  return Number(text)
}

function namesOf(name) {
  const names = values[name]?.split(',').map((each) => each.trim())
  const unknown = names?.find((each) => !faultNames.includes(each))
  if (unknown !== undefined) throw new Error(`--${name}: there is no fault "${unknown}"; see --faults`)
  return names
}

const given = {
  only: namesOf('only'),
  without: namesOf('without'),
  schedulers: wholeOf('schedulers'),
  apis: wholeOf('apis'),
  partitions: wholeOf('partitions'),
  tasks: wholeOf('tasks'),
  spanMs: wholeOf('span'),
}
const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))

const say = (text) => process.stdout.write(`${text}\n`)

/** One seed; twice when asked. Its history stays here: it is big. */
async function one(seed) {
  const { history: _, ...report } = await runSeed(seed, options)
  if (!values.twice) return report
  const { traceHash } = await runSeed(seed, options)
  if (traceHash === report.traceHash) return report
  const message = `two runs differ: ${report.traceHash} and ${traceHash}`
  const finding = { rule: 'not-repeatable', message, at: null, partition: null, taskId: null }
  return { ...report, ok: false, findings: [finding, ...report.findings] }
}

async function single(seed) {
  const traceLines = wholeOf('trace')
  const report = await runSeed(seed, traceLines === undefined ? options : { ...options, traceLines })
  if (values.history !== undefined) {
    writeFileSync(values.history, report.history.map((record) => `${JSON.stringify(record)}\n`).join(''))
  }
  const { traceHash, simulatedMs, actions, events, runs, takeovers } = report
  say(
    `seed ${seed}: ${report.ok ? 'holds' : 'FAILS'}; ${Math.round(simulatedMs / 60_000)} simulated minutes, ` +
      `${actions} actions, ${events} events, ${runs} runs, ${takeovers} takeovers, trace ${traceHash}`,
  )
  say(`faults: ${countsOf(report.faults)}`)
  for (const finding of report.findings) say(lineOf(finding))
  for (const line of report.tail) say(`  ${line}`)
  process.exitCode = report.ok ? 0 : 1
}

const lineOf = ({ rule, message, at }) =>
  `  ${rule}${at === null ? '' : ` at ${new Date(at).toISOString()}`}: ${message}`

const countsOf = (counts) => [...counts].map(([name, count]) => `${name} ${count}`).join(', ') || 'none'

async function campaign(from, seeds, jobs) {
  const campaign = new Campaign()
  const startedAt = Date.now()
  const show = progress(seeds, startedAt)
  await inParallel(from, seeds, jobs, (report) => {
    campaign.add(report)
    show(campaign.totals())
  })
  show(campaign.totals(), true)
  const totals = campaign.totals()
  summary(totals, (Date.now() - startedAt) / 1000)
  for (const failure of totals.failures.slice(0, 10)) await explain(failure)
  if (totals.failures.length > 10) say(`... and ${totals.failures.length - 10} more seeds`)
  const left = values.only === undefined ? (options.without ?? []) : faultNames
  const uncovered = campaign.uncovered(left)
  if (uncovered.length > 0) say(`never occurred, so nothing was shown about it: ${uncovered.join(', ')}`)
  process.exitCode = totals.failures.length === 0 && uncovered.length === 0 ? 0 : 1
}

async function explain({ seed, findings }) {
  say(`\nseed ${seed} FAILS`)
  for (const finding of findings.slice(0, 5)) say(lineOf(finding))
  say(`  replay: ${replayCommand(seed, options)}`)
  if (values['no-shrink'] || findings[0]?.rule === 'not-repeatable') return
  const small = await shrink(await runSeed(seed, options), options, 20)
  say(`  smaller: ${replayCommand(seed, small.options)}`)
}

/** Seeds in order, each by whoever is free. */
async function inParallel(from, seeds, jobs, onReport) {
  let next = from
  const take = () => (next < from + seeds ? next++ : undefined)
  if (jobs === 1) {
    for (let seed = take(); seed !== undefined; seed = take()) onReport(await one(seed))
    return
  }
  const args = process.argv.slice(2)
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { args } })
      for (let seed = take(); seed !== undefined; seed = take()) onReport(await answerOf(worker, seed))
      await worker.terminate()
    }),
  )
}

const answerOf = (worker, seed) =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.postMessage(seed)
  })

/** A bar on a terminal, a line now and then elsewhere. */
function progress(seeds, startedAt) {
  let shownAt = 0
  return (totals, isLast = false) => {
    const now = Date.now()
    if (!isLast && now - shownAt < (process.stderr.isTTY ? 200 : 15_000)) return
    shownAt = now
    const done = totals.seeds / seeds
    const leftS = Math.round(((now - startedAt) / 1000) * (1 / Math.max(done, 1e-6) - 1))
    const text = `${totals.seeds} of ${seeds} seeds, ${totals.failures.length} failed, ${leftS} s left`
    const bar = '█'.repeat(Math.round(done * 30)).padEnd(30, '░')
    if (!process.stderr.isTTY) process.stderr.write(`${text}\n`)
    else process.stderr.write(`\r${bar} ${text}   ${isLast ? '\n' : ''}`)
  }
}

function summary(totals, seconds) {
  const hours = totals.simulatedMs / 3_600_000
  const rows = [
    ['seeds', `${totals.seeds} (${totals.failures.length} failed), ${seconds.toFixed(0)} s`],
    ['simulated', `${hours.toFixed(1)} hours`],
    ['actions', totals.actions],
    ['events', totals.events],
    ['runs', totals.runs],
    ['takeovers', totals.takeovers],
    ['commits', countsOf(totals.commits)],
    ['faults', countsOf(totals.faults)],
    ['event types', countsOf(totals.eventTypes)],
  ]
  for (const [name, value] of rows) say(`${name.padEnd(12)} ${value}`)
}

if (!isMainThread) {
  parentPort.on('message', async (seed) => parentPort.postMessage(await one(seed)))
} else if (values.help) {
  say(help)
} else if (values.faults) {
  say(faultNames.join('\n'))
} else if (values.seed !== undefined) {
  await single(wholeOf('seed'))
} else {
  await campaign(wholeOf('from') ?? 1, wholeOf('seeds') ?? 100, wholeOf('jobs') ?? 1)
}

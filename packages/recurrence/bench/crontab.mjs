// How many next() a second: ours, cron-parser's and croner's, on the same expressions, in one process.
// Prints a table and asserts nothing; run `npm run bench -w @almanac/recurrence` (it builds first).
import { CronExpressionParser } from 'cron-parser'
import { Cron } from 'croner'
import { compileCrontab, parseCrontab } from '../dist/index.js'

const budgetMs = Number(process.argv[2] ?? 400)
const start = Date.UTC(2026, 0, 1)
/** Walks begin again at the start now and then, so that all three stay within years that exist. */
const walkLength = 200

const expressions = [
  ['* * * * *', 'UTC'],
  ['* * * * *', 'America/New_York'],
  ['*/15 * * * *', 'Europe/Berlin'],
  ['0 * * * *', 'Australia/Sydney'],
  ['0 9 * * 1-5', 'Europe/Berlin'],
  ['30 2 * * *', 'UTC'],
  ['30 2 * * *', 'America/New_York'],
  ['30 2 1 * *', 'America/New_York'],
  ['0 0 1,15 1-6 *', 'Asia/Kolkata'],
  ['0 12 * * 1', 'America/Sao_Paulo'],
  ['0 0 29 2 *', 'UTC'],
  ['0 0 29 2 *', 'America/New_York'],
]

function measure(run) {
  run(walkLength) // warm, tables and compiled code
  let done = 0
  const began = performance.now()
  let spent = 0
  while (spent < budgetMs) {
    done += run(walkLength)
    spent = performance.now() - began
  }
  return (done / spent) * 1000
}

function compile(expression, timezone) {
  const parsed = parseCrontab({ expression, timezone })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  return compileCrontab(parsed.value)
}

function ours(expression, timezone) {
  const recurrence = compile(expression, timezone)
  return (steps) => {
    let at = start
    for (let step = 0; step < steps; step++) at = recurrence.next(at)
    if (!(at > start)) throw new Error('no progress')
    return steps
  }
}

function cronParser(expression, timezone) {
  return (wanted) => {
    const steps = Math.min(wanted, 20)
    const parsed = CronExpressionParser.parse(expression, { currentDate: new Date(start), tz: timezone })
    for (let step = 0; step < steps; step++) parsed.next()
    return steps
  }
}

function croner(expression, timezone) {
  const cron = new Cron(expression, { timezone, paused: true })
  return (wanted) => {
    const steps = Math.min(wanted, 20)
    let at = new Date(start)
    for (let step = 0; step < steps; step++) at = cron.nextRun(at)
    return steps
  }
}

const parseOurs = (steps) => {
  for (let step = 0; step < steps; step++) compile('0 9 * * 1-5', 'Europe/Berlin')
  return steps
}
const parseTheirs = (steps) => {
  for (let step = 0; step < steps; step++) CronExpressionParser.parse('0 9 * * 1-5', { tz: 'Europe/Berlin' })
  return steps
}
const parseCroner = (steps) => {
  for (let step = 0; step < steps; step++)
    new Cron('0 9 * * 1-5', { timezone: 'Europe/Berlin', paused: true })
  return steps
}

const print = (text) => process.stdout.write(`${text}\n`)
const number = (value) => Math.round(value).toLocaleString('en-US').padStart(12)

function row(name, mine, parser, other) {
  const [a, b, c] = [measure(mine), measure(parser), measure(other)]
  print(`${name.padEnd(36)}${number(a)}${number(b)}${number(c)}${number(a / b)}${number(a / c)}`)
}

print(`node ${process.version}, tz ${process.versions.tz}, ${budgetMs} ms each; next() per second`)
const titles = ['ours', 'cron-parser', 'croner', 'x parser', 'x croner']
print('expression'.padEnd(36) + titles.map((title) => title.padStart(12)).join(''))
for (const [expression, timezone] of expressions) {
  row(
    `${expression} ${timezone}`,
    ours(expression, timezone),
    cronParser(expression, timezone),
    croner(expression, timezone),
  )
}
row('parse and compile 0 9 * * 1-5', parseOurs, parseTheirs, parseCroner)

// The cold case: a zone whose tables are not built yet, asked once a quarter of a year of the whole century.
const cold = compile('0 0 29 2 *', 'America/Chicago')
const began = performance.now()
let at = start
let steps = 0
for (; at < Date.UTC(2126, 0); steps++) at = cold.next(at)
const spent = performance.now() - began
const each = ((spent / steps) * 1000).toFixed(0)
print(`0 0 29 2 * America/Chicago, cold, a century: ${steps} answers, ${each} us each`)

// count() of an every-minute crontab in a zone not yet asked, then again with its tables built.
const minutely = compile('* * * * *', 'America/Denver')
for (const years of [10, 100]) {
  const end = Date.UTC(2026 + years, 0)
  const times = ['first', 'again'].map((when) => {
    const before = performance.now()
    minutely.count(start, end)
    return `${when} ${((performance.now() - before) * 1000).toFixed(0)} us`
  })
  print(`count of * * * * * America/Denver over ${years} years: ${times.join(', ')}`)
}

// How fast a namespace is taken in and given out, beside plain SQLite with the same bytes, and beside what the form of
// the log costs by itself, in the same run.
//   node loadtest/bulk.mjs 50000 3
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { blankSpec as blank } from '@almanac/domain'
import { DatabaseSync } from '@photostructure/sqlite'

const count = Number(process.argv[2] ?? 50_000)
const rounds = Number(process.argv[3] ?? 3)
const port = 7498
// Run from the repository's root, as the command above says.
const almanac = 'packages/cli/bin/almanac.js'
const folder = mkdtempSync(join(tmpdir(), 'almanac-bulk-'))

const lines = Array.from({ length: count }, (_, n) =>
  JSON.stringify({
    kind: 'task',
    name: `task ${String(n).padStart(7, '0')}`,
    task: 'app.job',
    schedule: { crontab: { minute: String(n % 60), hour: '2', timezone: 'UTC' } },
    kwargs: { n },
    labels: { team: 'a' },
  }),
)

/** Two rows a task, as Almanac appends two events, in transactions of 256 tasks that are on the disk. */
function plainSqlite(name) {
  const database = new DatabaseSync(join(folder, `${name}.db`))
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec('CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT UNIQUE, data TEXT)')
  const insert = database.prepare('INSERT INTO events (stream, data) VALUES (?, ?)')
  const began = performance.now()
  for (let at = 0; at < count; at += 256) {
    database.exec('BEGIN')
    for (const [offset, line] of lines.slice(at, at + 256).entries()) {
      insert.run(`name-${at + offset}`, line)
      insert.run(`task-${at + offset}`, line)
    }
    database.exec('COMMIT')
  }
  const seconds = (performance.now() - began) / 1_000
  database.close()
  return count / seconds
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex')

/**
 * The same two events a task, each with its id, its hash and the chain over the log, in the rows and indexes of the
 * main file: nothing is checked, decided, shown or sent.
 */
function logForm(name) {
  const database = new DatabaseSync(join(folder, `${name}.db`))
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec(`CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT, revision INTEGER, id TEXT UNIQUE,
    type TEXT, version INTEGER, namespace TEXT, at INTEGER, data TEXT, metadata TEXT, chain TEXT,
    UNIQUE (stream, revision)) STRICT`)
  const insert = database.prepare('INSERT INTO events VALUES (?, ?, 0, ?, ?, 1, ?, ?, ?, ?, ?)')
  let [position, chain] = [0, '']
  const append = (stream, type, data) => {
    const metadata = { namespace: 'default', actor: 'a', at: 1, correlationId: 'c', previousHash: '' }
    const id = sha256(
      JSON.stringify({ place: { stream, expected: 'none' }, event: { type, data, metadata } }),
    )
    const texts = [JSON.stringify(data), JSON.stringify(metadata)]
    sha256(`["${id}","${type}",1,${texts}]`)
    position += 1
    chain = sha256(chain + JSON.stringify([position, stream, 0, id, type, 1, ...texts]))
    insert.run(position, stream, id, type, 'default', 1, ...texts, chain)
  }
  const began = performance.now()
  for (let at = 0; at < count; at += 256) {
    database.exec('BEGIN')
    for (const [offset, line] of lines.slice(at, at + 256).entries()) {
      const spec = { ...blank, ...JSON.parse(line) }
      append(`name-${at + offset}`, 'NameReserved', { name: spec.name, taskId: `${at + offset}` })
      append(`task-${at + offset}`, 'TaskCreated', { taskId: `${at + offset}`, spec })
    }
    database.exec('COMMIT')
  }
  const seconds = (performance.now() - began) / 1_000
  database.close()
  return count / seconds
}

async function almanacs(name) {
  const args = [almanac, 'serve', '--port', String(port), '--data', join(folder, name)]
  const server = spawn(process.execPath, args, { stdio: 'ignore' })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  for (let left = 100; left > 0; left -= 1) {
    const isReady = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) break
    await sleep(100)
  }
  const ask = async (path, init) => {
    const began = performance.now()
    const text = await (await fetch(`${url}/v1/namespaces/default${path}`, init)).text()
    return { text, rate: count / ((performance.now() - began) / 1_000) }
  }
  const post = {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${lines.join('\n')}\n`,
  }
  const taken = await ask('/import', post)
  const again = await ask('/import', post)
  const given = await ask('/export')
  server.kill('SIGTERM')
  await ended
  const told = taken.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .at(-1).done
  if (told?.created !== count || given.text.trim().split('\n').length !== count + 1)
    throw new Error(taken.text.slice(-500))
  return { taken: taken.rate, again: again.rate, given: given.rate }
}

const shown = (rates) => rates.map((rate) => Math.round(rate).toLocaleString('en')).join(' / ')
try {
  const plain = []
  const form = []
  const measured = []
  for (let round = 0; round < rounds; round += 1) {
    plain.push(plainSqlite(`plain-${round}`))
    form.push(logForm(`form-${round}`))
    measured.push(await almanacs(`almanac-${round}`))
  }
  console.log(`${count} tasks, ${rounds} rounds, tasks/s`)
  console.log(`import, new            ${shown(measured.map(({ taken }) => taken))}`)
  console.log(`import, all there      ${shown(measured.map(({ again }) => again))}`)
  console.log(`export                 ${shown(measured.map(({ given }) => given))}`)
  console.log(`the form of the log    ${shown(form)}`)
  console.log(`plain SQLite, two rows ${shown(plain)}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

// A node with very many tasks: how fast they are created, how much memory they take, and how long a start takes.
//
//   npm run build && node loadtest/million.mjs [tasks] [folder to keep and use again]
//
// Half of the tasks are on intervals, half on 500 different crontabs; none is due while it measures.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTasks, machine, remove, startNode, temporaryFolder } from './world.mjs'

const mib = (bytes) => Math.round(bytes / 2 ** 20)

const inputOf = (index) => ({
  name: `task ${index}`,
  task: `app.tasks.job_${index % 50}`,
  schedule:
    index % 2 === 0
      ? { interval: { every: 30 + (index % 300), period: 'days' } }
      : {
          crontab: {
            minute: `${index % 60}`,
            hour: `${index % 24}`,
            dayOfMonth: '1',
            monthOfYear: `${1 + (index % 6)}`,
          },
        },
  args: [index],
  kwargs: { region: 'eu', account: `a-${index}` },
  queue: `q${index % 8}`,
})

async function seed(folder, count) {
  const { node, stop } = await startNode(folder)
  const began = performance.now()
  await createTasks(node, count, inputOf, {
    onProgress: (done) => process.stderr.write(`\r${done} of ${count} created`),
  })
  await node.queries.waitFor(node.queries.position(), 60_000)
  process.stderr.write('\r')
  console.log(`created ${count} at ${Math.round(count / ((performance.now() - began) / 1000))}/s`)
  await stop()
}

async function start(folder) {
  const began = performance.now()
  const { node, stop } = await startNode(folder)
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const status = node.status()
  const indexed = status.partitions.reduce((sum, partition) => sum + partition.tasks, 0)
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  console.log(
    `started in ${seconds} s: ${indexed} tasks in the due indexes, RSS ${mib(rss)} MiB, heap ${mib(heapUsed)} MiB`,
  )
  await stop()
}

const [mode, ...rest] = process.argv.slice(2)
if (mode === 'seed') await seed(rest[0], Number(rest[1]))
else if (mode === 'start') await start(rest[0])
else {
  const count = Number(mode ?? 1_000_000)
  const folder = rest[0] ?? temporaryFolder()
  const self = fileURLToPath(import.meta.url)
  console.log(`${machine()}\n${count} tasks`)
  const run = async (...args) => {
    const child = fork(self, args, { execArgv: ['--expose-gc'] })
    const [code] = await once(child, 'exit')
    if (code !== 0) process.exit(code ?? 1)
  }
  if (!existsSync(join(folder, 'almanac.db'))) await run('seed', folder, `${count}`)
  await run('start', folder)
  if (rest[0] === undefined) remove(folder)
}

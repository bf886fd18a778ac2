import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import { partitionOf } from '@almanac/domain'
import { createStop } from '@almanac/engine'
import { markedProcesses, probePaths } from '@almanac/infra'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// Goal: what docs/guides/cluster.md says works. Method: `npm run cluster` as a user starts it, real servers, real
// nodes; a task is made through HTTP, its runs are read from Kafka, the node that owns its partition is killed.

const program = fileURLToPath(new URL('../../infra/bin/cluster.mjs', import.meta.url))
const worker = fileURLToPath(new URL('../../examples/kafka-worker.mjs', import.meta.url))
/** So many that each of three nodes has some. */
const partitionCount = 24
const port = 19_000 + Math.floor(Math.random() * 500)
const api = (node: number) => `http://127.0.0.1:${port + node - 1}`
const broker = `127.0.0.1:${port + 10}`
const patient = { timeout: 90_000, interval: 100 }

interface Task {
  readonly id: string
  readonly name: string
}

interface Run {
  readonly status: string
}

interface Occurrence {
  readonly at: string
  readonly outcome: string
  readonly count: number
}

interface List<Item> {
  readonly items: readonly Item[]
}

interface ClusterStatus {
  readonly nodes: readonly { readonly nodeId: string }[]
  readonly partitions: readonly { readonly partition: number; readonly owner: string | null }[]
}

let folder: string
let cluster: ChildProcess
let output = ''
const started: ChildProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-run-cluster-'))
  start()
})

afterAll(async () => {
  for (const child of started) if (child.exitCode === null) child.kill('SIGTERM')
  if (cluster.exitCode === null) {
    cluster.kill('SIGTERM')
    await once(cluster, 'exit')
  }
  await rm(folder, { recursive: true, force: true })
}, 60_000)

function start(): void {
  output = ''
  const options = [
    '--data',
    folder,
    '--port',
    `${port}`,
    '--partitions',
    `${partitionCount}`,
    '--lease-ttl',
    '4',
    '--redis',
    '3',
  ]
  cluster = spawn(process.execPath, [program, ...options])
  const take = (chunk: Buffer) => {
    output += chunk.toString('utf8')
  }
  cluster.stdout?.on('data', take)
  cluster.stderr?.on('data', take)
}

const untilReady = () =>
  expect
    .poll(() => (cluster.exitCode === null ? output : `ended: ${output}`), patient)
    .toContain('Ctrl-C stops')

const pidOf = (name: string) => Number(new RegExp(`^  ${name} +(\\d+) `, 'm').exec(output)?.[1])

async function ask<Body>(url: string, body?: object): Promise<{ status: number; body: Body }> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(
    url,
    body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) },
  )
  return { status: answer.status, body: (await answer.json()) as Body }
}

const statusBy = async (node: number): Promise<ClusterStatus> =>
  (await ask<ClusterStatus>(`${api(node)}/v1/cluster`)).body

const ownersBy = (node: number) =>
  statusBy(node).then(
    ({ partitions }): readonly (string | null)[] => partitions.map(({ owner }) => owner),
    (): readonly (string | null)[] => [],
  )

/** Run ids by task, as they are committed in the queue's topic, from the first to the last. */
function readRuns() {
  const log = new KafkaTransactionLog({ connection: parseKafka(broker), clock: systemClock() })
  const stop = createStop()
  const runs: { runId: string; taskName: string; scheduledAt: string; partition: number }[] = []
  const follow = async () => {
    for await (const batch of log.follow('local.queue.default', stop)) {
      for (const { value } of batch) if (value !== null) runs.push(JSON.parse(value))
    }
  }
  const ended = follow().catch(() => {})
  return {
    runs,
    end: async () => {
      stop.stop()
      await ended
    },
  }
}

describe('npm run cluster on real servers', { timeout: 180_000 }, () => {
  it('starts', untilReady)

  it('answers probes at every path that production asks', async () => {
    for (const path of [...probePaths, '/metrics']) {
      const answer = await fetch(`http://127.0.0.1:${port + 40}${path}`)
      expect([path, answer.status]).toEqual([path, 200])
    }
  })

  it('shares the partitions among all nodes', async () => {
    await expect
      .poll(() => ownersBy(1).then((owners) => new Set(owners)), patient)
      .toEqual(new Set(['node-1', 'node-2', 'node-3']))
  })

  it('runs a task, and goes on when the node that owns it is killed: nothing lost, nothing twice', async () => {
    const schedule = { interval: { every: 1, period: 'seconds' } }
    const created = await ask<Task>(`${api(1)}/v1/namespaces/default/tasks`, {
      name: 'each',
      task: 'demo.each',
      schedule,
    })
    expect(created.status).toBe(201)
    const reader = readRuns()
    await expect.poll(() => reader.runs.length, patient).toBeGreaterThanOrEqual(3)

    const partition = reader.runs[0]?.partition
    const { partitions } = await statusBy(1)
    const owner = partitions.find((one) => one.partition === partition)?.owner ?? expect.fail()
    const survivor = owner === 'node-1' ? 2 : 1
    process.kill(pidOf(owner), 'SIGKILL')

    await expect.poll(() => output, patient).toContain(`${owner} (pid ${pidOf(owner)}) ended by SIGKILL`)
    await expect
      .poll(
        () =>
          ownersBy(survivor).then((owners) => owners.length === partitionCount && !owners.includes(owner)),
        patient,
      )
      .toBe(true)
    const until = reader.runs.length + 3
    await expect.poll(() => reader.runs.length, patient).toBeGreaterThanOrEqual(until)
    await reader.end()

    const at = reader.runs.map(({ scheduledAt }) => Date.parse(scheduledAt))
    expect(new Set(reader.runs.map(({ runId }) => runId)).size).toBe(reader.runs.length)
    const skipped = await skippedOf(created.body.id, survivor, at)
    expect(gapsIn([...at, ...skipped])).toEqual([])
  })

  it('brings a killed node back by its script', async () => {
    const [, script = ''] = /To bring it back: sh (\S+)/.exec(output) ?? expect.fail()
    const [, name = ''] = /(node-\d)\/start\.sh$/.exec(script) ?? expect.fail()
    started.push(spawn('sh', [script], { stdio: 'ignore' }))

    await expect
      .poll(() => ownersBy(Number(name.slice(-1))).then((owners) => owners.includes(name)), patient)
      .toBe(true)
  })

  it('tells a webhook everything, although the node that serves it is killed', async () => {
    const told = new Set<string>()
    const receiver = createServer(async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      told.add(JSON.parse(text).data.subject.name)
      response.writeHead(204).end()
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
    const create = async (node: number, name: string) => {
      const body = { name, task: 't', schedule: { interval: { every: 1, period: 'days' } } }
      expect((await ask(`${api(node)}/v1/namespaces/hooks/tasks`, body)).status).toBe(201)
    }
    // Of a node that the table still tells the pid of: the one that came back by its script has another.
    const [, back = ''] = /(node-\d)\/start\.sh$/m.exec(output) ?? expect.fail()
    // And not of the first, which is asked afterwards.
    const owner = await served(url, ['node-1', back])
    for (const name of ['one', 'two', 'three']) await create(1, name)
    await expect.poll(() => told.size, patient).toBe(3)
    process.kill(pidOf(owner), 'SIGKILL')
    for (const name of ['four', 'five']) await create(1, name)
    await expect.poll(() => [...told].toSorted(), patient).toEqual(['five', 'four', 'one', 'three', 'two'])
    receiver.close()
  })

  it('hands runs to the example worker, whose word comes back into the history', async () => {
    const child = spawn(process.execPath, [worker, '--kafka', broker, '--prefix', 'local'], {
      stdio: 'ignore',
    })
    started.push(child)

    await expect
      .poll(async () => {
        const { body } = await ask<List<Run>>(`${api(1)}/v1/namespaces/default/runs?limit=100`)
        return body.items.map(({ status }) => status)
      }, patient)
      .toContain('succeeded')
    child.kill('SIGTERM')
    await once(child, 'exit')
  })

  it('stops, leaves no process, and goes on from its folder at the next start', async () => {
    const { mark } = JSON.parse(await readFile(join(folder, 'cluster.json'), 'utf8'))
    expect(markedProcesses(mark).length).toBeGreaterThan(6)
    cluster.kill('SIGINT')
    const [code] = await once(cluster, 'exit')
    expect([code, output]).toEqual([0, expect.stringContaining('All has stopped')])
    expect(markedProcesses(mark)).toEqual([])

    start()
    await untilReady()

    expect(output).toContain('Going on with the cluster')
    const { body } = await ask<List<Task>>(`${api(3)}/v1/namespaces/default/tasks`)
    expect(body.items.map(({ name }) => name)).toEqual(['each'])
    const reader = readRuns()
    const before = Date.now()
    await expect
      .poll(() => reader.runs.some(({ scheduledAt }) => Date.parse(scheduledAt) > before), patient)
      .toBe(true)
    await reader.end()
  })
})

/** Makes webhooks until one is served by another node than these; answers which. */
async function served(url: string, others: readonly string[]): Promise<string> {
  for (let nth = 1; nth <= 50; nth += 1) {
    const body = { name: `all-${nth}`, url, events: ['task.created'] }
    const made = await ask<{ readonly id: string }>(`${api(1)}/v1/namespaces/hooks/webhooks`, body)
    expect(made.status).toBe(201)
    const owners = await ownersBy(1)
    const owner = owners[partitionOf(made.body.id, partitionCount)]
    if (typeof owner === 'string' && !others.includes(owner)) return owner
  }
  throw new Error(`all webhooks are served by ${others.join(' or ')}`)
}

/** Occurrences between the first and the last run that were skipped for a reason: also an outcome. */
async function skippedOf(taskId: string, node: number, ran: readonly number[]): Promise<readonly number[]> {
  const [from, to] = [Math.min(...ran), Math.max(...ran)].map((at) => new Date(at).toISOString())
  const list = `${api(node)}/v1/namespaces/default/tasks/${taskId}/occurrences`
  const { body } = await ask<List<Occurrence>>(`${list}?count=1000&from=${from}&to=${to}`)
  return body.items
    .filter(({ outcome }) => outcome === 'skipped')
    .flatMap((item) => Array.from({ length: item.count }, (_, index) => Date.parse(item.at) + index * 1_000))
}

/** Seconds without an outcome. */
function gapsIn(instants: readonly number[]): readonly string[] {
  const sorted = [...instants].sort((one, other) => one - other)
  return sorted.flatMap((at, index) => {
    const next = sorted[index + 1] ?? at + 1_000
    return next - at > 1_000 ? [`${new Date(at).toISOString()} to ${new Date(next).toISOString()}`] : []
  })
}

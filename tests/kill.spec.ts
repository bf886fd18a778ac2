import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SeededRandom } from '@almanac/engine'
import { afterAll, expect, it } from 'vitest'
import { type Running, startServer } from './server-process.js'

// The server is killed with SIGKILL again and again, while producers create and change tasks and workers lease and
// complete runs. Afterwards: every acknowledged command is there, every occurrence has run exactly once, and no run
// that a worker completed was handed out again.
//
//   ALMANAC_KILLS=100 npx vitest run tests/kill.spec.ts

const kills = Number(process.env.ALMANAC_KILLS ?? 8)
const folder = mkdtempSync(join(tmpdir(), 'almanac-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Task {
  readonly id: string
  readonly createdAt: string
  readonly dateChanged: string
  readonly description: string
  readonly schedule: { readonly interval: { readonly every: number } }
}
interface Run {
  readonly runId: string
  readonly taskId: string
  readonly scheduledAt: string
  readonly status: string
}

/** Everybody who uses the server while it is killed, with what they were told. */
class Users {
  readonly created = new Map<string, Task>()
  /** The last description that was acknowledged for a task, and those sent after it without an answer. */
  readonly described = new Map<string, { readonly acknowledged: string; readonly open: readonly string[] }>()
  readonly completed = new Set<string>()
  readonly leasedAfterCompletion: string[] = []
  requests = 0
  private stopped = false
  private readonly url: string
  private readonly random: SeededRandom

  constructor(url: string, seed: number) {
    this.url = `${url}/v1/namespaces/default`
    this.random = new SeededRandom(seed)
  }

  stop(): void {
    this.stopped = true
  }

  /** Undefined when there was no answer: the server is down, or went down meanwhile. */
  async ask<T>(method: string, path: string, body?: object, key?: string): Promise<T | undefined> {
    this.requests += 1
    try {
      const headers = {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      }
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      const answer = await fetch(`${this.url}${path}`, { method, headers, ...sent })
      const text = await answer.text()
      if (answer.status === 503) return undefined
      if (!answer.ok) throw new TypeError(`${method} ${path}: ${answer.status} ${text}`)
      return (text === '' ? {} : JSON.parse(text)) as T
    } catch (error) {
      if (error instanceof TypeError && error.message.includes(': 4')) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
      return undefined
    }
  }

  /** Creates tasks; one that got no answer is asked for again with its key, so it exists once. */
  async produce(count: number): Promise<void> {
    for (let index = 0; index < count && !this.stopped; ) {
      const body = {
        name: `task ${index}`,
        task: 'app.tasks.work',
        schedule: { interval: { every: 200 + (index % 5) * 150, period: 'microseconds' } },
        catchUp: { policy: 'all', windowSeconds: null, max: 1000 },
        description: 'first',
      }
      body.schedule.interval.every *= 1000
      const task = await this.ask<Task>('POST', '/tasks', body, `create-${index}`)
      if (task === undefined) continue
      this.created.set(task.id, task)
      this.described.set(task.id, { acknowledged: 'first', open: [] })
      index += 1
    }
  }

  async edit(): Promise<void> {
    for (let edits = 0; !this.stopped; edits += 1) {
      const ids = [...this.created.keys()]
      const id = ids[Math.floor(this.random.next() * ids.length)]
      await new Promise((resolve) => setTimeout(resolve, 15))
      if (id === undefined) continue
      const description = `edit ${edits}`
      const known = this.described.get(id) ?? { acknowledged: 'first', open: [] }
      this.described.set(id, { ...known, open: [...known.open, description] })
      const task = await this.ask<Task>('PATCH', `/tasks/${id}`, { description })
      if (task !== undefined) this.described.set(id, { acknowledged: description, open: [] })
    }
  }

  async work(): Promise<void> {
    while (!this.stopped) {
      const request = { max: 20, waitMs: 200, worker: 'w', leaseSeconds: 2 }
      const leased = await this.ask<{ runs: (Run & { leaseToken: string })[] }>(
        'POST',
        '/queues/default/lease',
        request,
      )
      for (const run of leased?.runs ?? []) {
        if (this.completed.has(run.runId)) this.leasedAfterCompletion.push(run.runId)
        const { leaseToken } = run
        const done = await this.ask('POST', `/runs/${run.runId}/ack`, { leaseToken }).catch(() => undefined)
        if (done !== undefined) this.completed.add(run.runId)
      }
    }
  }

  async all<T>(path: string): Promise<T[]> {
    const items: T[] = []
    for (let cursor = ''; ; ) {
      const page = await this.ask<{ items: T[]; nextCursor: string | null }>(
        'GET',
        `${path}limit=200${cursor}`,
      )
      if (page === undefined) continue
      items.push(...page.items)
      if (page.nextCursor === null) return items
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
    }
  }
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

async function killOften(port: number, seed: number): Promise<Running & { readonly url: string }> {
  const random = new SeededRandom(seed)
  let server = await startServer(folder, port)
  for (let kill = 0; kill < kills; kill += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200 + random.next() * 1_800))
    server.process.kill('SIGKILL')
    await server.ended
    server = await startServer(folder, port)
  }
  return server
}

/** Grid instants of a task from its creation to its disabling that have no run, and those that have several. */
function compare(task: Task, runs: readonly Run[], disabledAt: number): { lost: number; doubled: number } {
  const everyMs = task.schedule.interval.every / 1000
  const ran = runs.map((run) => Date.parse(run.scheduledAt))
  const unique = new Set(ran)
  const anchor = Date.parse(task.createdAt)
  let lost = 0
  // One at the very millisecond has run, or is listed as skipped.
  for (let at = anchor + everyMs; at <= disabledAt; at += everyMs) if (!unique.has(at)) lost += 1
  return { lost, doubled: ran.length - unique.size }
}

it(`kill -9, ${kills} times: nothing lost, nothing run twice`, {
  timeout: 60_000 + kills * 15_000,
}, async () => {
  const port = await freePort()
  const users = new Users(`http://127.0.0.1:${port}`, 7)
  const killing = killOften(port, 3)
  const using = [users.produce(40), users.edit(), users.work(), users.work()]
  const server = await killing
  try {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    users.stop()
    await Promise.all(using)
    const figures = { kills, commands: users.created.size, runs: 0, lost: 0, doubled: 0 }
    for (const task of users.created.values()) {
      let disabled: Task | undefined
      while (disabled === undefined) disabled = await users.ask<Task>('POST', `/tasks/${task.id}/disable`, {})
      const known = users.described.get(task.id)
      expect([known?.acknowledged, ...(known?.open ?? [])]).toContain(disabled.description)
      const runs = await users.all<Run>(`/runs?task=${task.id}&`)
      const { lost, doubled } = compare(disabled, runs, Date.parse(disabled.dateChanged))
      const skipped = await users.ask<{ items: { outcome: string; count: number }[] }>(
        'GET',
        `/tasks/${task.id}/occurrences?from=${task.createdAt}&to=${disabled.dateChanged}&count=1000`,
      )
      const skips = skipped?.items.filter((item) => item.outcome === 'skipped') ?? []
      figures.lost += lost - skips.reduce((sum, skip) => sum + skip.count, 0)
      figures.doubled += doubled
      figures.runs += runs.length
      for (const run of runs) if (users.completed.has(run.runId)) expect(run.status).toBe('succeeded')
    }
    process.stdout.write(
      `${JSON.stringify({ ...figures, completed: users.completed.size, requests: users.requests })}\n`,
    )
    expect(users.created.size).toBe(40)
    expect(figures).toMatchObject({ lost: 0, doubled: 0 })
    expect(users.completed.size).toBeGreaterThan(0)
    expect(users.leasedAfterCompletion).toEqual([])
  } finally {
    server.process.kill('SIGKILL')
    await server.ended
  }
})

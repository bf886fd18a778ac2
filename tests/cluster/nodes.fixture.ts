import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClusterJson } from '@almanac/protocol'
import { startNode } from '@almanac/scheduler'
import { type Running, resolveConfig } from '@almanac/scheduler/service'
import { inject } from 'vitest'

type Body = ReturnType<typeof JSON.parse>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Nodes of one cluster in this process, on the shared broker and Redis, over a SQLite event log of their own. */
export class TestCluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'almanac-nodes-'))
  readonly name = `nodes-${Math.random().toString(36).slice(2, 8)}`
  private readonly running = new Map<string, Running>()
  private readonly options: Readonly<Record<string, string>>

  constructor(options: Readonly<Record<string, string>> = {}) {
    this.options = options
  }

  async start(node: string, options: Readonly<Record<string, string>> = {}) {
    const resolved = resolveConfig({
      flags: {
        node,
        port: '0',
        data: join(this.folder, node),
        cluster: this.name,
        partitions: '16',
        eventstore: `sqlite:${join(this.folder, 'log')}`,
        kafka: inject('kafka'),
        redis: inject('redis'),
        replication: '1',
        'log-level': 'error',
        telemetry: 'off',
        ...this.options,
        ...options,
      },
    })
    if (!resolved.ok || resolved.config.servers === null) throw new Error(JSON.stringify(resolved))
    const { servers } = resolved.config
    const running = await startNode({ ...resolved.config, servers })
    this.running.set(node, running)
  }

  async stop(node: string): Promise<void> {
    const running = this.running.get(node)
    this.running.delete(node)
    await running?.stop()
  }

  async close(): Promise<void> {
    await Promise.all([...this.running.keys()].map((node) => this.stop(node)))
    rmSync(this.folder, { recursive: true, force: true })
  }

  async ask(node: string, path: string, init: { method?: string; body?: unknown } = {}): Promise<Answer> {
    const url = this.running.get(node)?.url
    if (url === undefined) throw new Error(`${node} is not running`)
    const { method = init.body === undefined ? 'GET' : 'POST', body } = init
    const response = await fetch(url + path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : JSON.parse(text),
    }
  }

  tasks(node: string, path = '', init?: { method?: string; body?: unknown }): Promise<Answer> {
    return this.ask(node, `/v1/namespaces/default/tasks${path}`, init)
  }

  async status(node: string): Promise<ClusterJson> {
    return (await this.ask(node, '/v1/cluster')).body
  }

  /** Owner of each partition, as the node sees it. */
  async owners(node: string): Promise<readonly (string | null)[]> {
    return (await this.status(node)).partitions.map(({ owner }) => owner)
  }

  async until<T>(what: string, look: () => Promise<T | undefined>, withinMs = 40_000): Promise<T> {
    const deadline = Date.now() + withinMs
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
      if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}`)
      await sleep(100)
    }
  }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ProcessConfig, type Running, resolveConfig } from '@almanac/scheduler/service'
import { startStandalone } from '../src/main.js'

/** Whatever JSON came: tests look into answers of many shapes. */
type Body = ReturnType<typeof JSON.parse>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

/** A standalone server in this process with a data folder of its own, asked over real HTTP. */
export class TestServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'almanac-'))
  private running: Running | undefined
  private readonly overrides: { readonly [flag: string]: string }

  constructor(overrides: { readonly [flag: string]: string } = {}) {
    this.overrides = overrides
  }

  config(overrides: { readonly [flag: string]: string } = {}): ProcessConfig {
    const flags = { port: '0', data: this.folder, partitions: '4', ...this.overrides, ...overrides }
    const resolved = resolveConfig({ flags })
    if (!resolved.ok) throw new Error(resolved.problems.join('\n'))
    return resolved.config
  }

  async start(): Promise<void> {
    this.running = await startStandalone(this.config())
  }

  async stop(): Promise<void> {
    await this.running?.stop()
  }

  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  get url(): string {
    if (this.running === undefined) throw new Error('not started')
    return this.running.url
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const url = path.startsWith('/v1') || path.startsWith('/livez') ? path : `/v1/namespaces/default${path}`
    const answer = await fetch(`${this.url}${url}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }

  get = (path: string, headers?: Record<string, string>) => this.ask('GET', path, undefined, headers)
  post = (path: string, body?: unknown, headers?: Record<string, string>) =>
    this.ask('POST', path, body, headers)
}

/** Reads server-sent events until `count` have come, then closes the connection. */
export async function readEvents(url: string, count: number, headers: Record<string, string> = {}) {
  const abort = new AbortController()
  const response = await fetch(url, { headers, signal: abort.signal })
  if (response.body === null || !response.ok) throw new Error(`HTTP ${response.status}`)
  const events: { id: number; event: string; data: Record<string, unknown> }[] = []
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body) {
    rest += decoder.decode(chunk, { stream: true })
    const blocks = rest.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
      const data = field('data')
      if (data !== undefined)
        events.push({ id: Number(field('id')), event: field('event') ?? '', data: JSON.parse(data) })
    }
    if (events.length >= count) break
  }
  abort.abort()
  return events
}

import type { Operations } from './api.js'
import { isCode } from './errors.js'
import { follow } from './feed.js'
import { platform } from './platform.js'
import { type ConnectionOptions, Transport, type World } from './transport.js'

type Name = keyof Operations
type Answer<K extends Name> = Operations[K]['answer']
type Query<K extends Name> = Operations[K]['query']
type Body<K extends Name> = Operations[K]['body']

/** Of a write: who asks when, and what it has to wait for. */
export interface WriteOptions {
  /** The revision that was seen: with another one the write is refused (`revision_mismatch`). */
  readonly revision?: number
  /** Kept in the history. */
  readonly reason?: string
  /** The same for repeated calls: the write is applied once. Left out: one is made for each call. */
  readonly idempotencyKey?: string
  /** Answer only when no run of the old definition can be committed any more. */
  readonly fenced?: boolean
  readonly signal?: AbortSignal
}

export interface AlmanacOptions extends ConnectionOptions {
  /** @default 'default' */
  readonly namespace?: string
  /** For whom, in the history: beside whom the key names. */
  readonly actor?: string
}

export type Task = Answer<'GET /v1/namespaces/{namespace}/tasks/{id}'>
export type NewTask = Body<'POST /v1/namespaces/{namespace}/tasks'>
export type TaskChanges = Body<'PATCH /v1/namespaces/{namespace}/tasks/{id}'>
export type TaskFilter = Omit<Query<'GET /v1/namespaces/{namespace}/tasks'>, 'cursor'>
export type Run = Answer<'GET /v1/namespaces/{namespace}/runs/{id}'>
export type RunFilter = Omit<Query<'GET /v1/namespaces/{namespace}/runs'>, 'cursor'>
export type Leased = Answer<'POST /v1/namespaces/{namespace}/queues/{queue}/lease'>['runs'][number]
export type Change = Answer<'GET /v1/namespaces/{namespace}/tasks/{id}/history'>['items'][number]
export type Undone = Answer<'POST /v1/namespaces/{namespace}/tasks/{id}/history/{revision}/undo'>
export type Occurrence = Answer<'GET /v1/namespaces/{namespace}/tasks/{id}/occurrences'>['items'][number]

export type FeedOptions = Query<'GET /v1/namespaces/{namespace}/events'> & { readonly signal?: AbortSignal }

interface Input {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: object | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/**
 * A server of Almanac. Every method throws `AlmanacError` for what is refused or could not be done; what was in
 * trouble on the way is tried again, and a write is applied once all the same.
 */
export class Almanac {
  readonly namespace: string
  private readonly transport: Transport
  private readonly world: World
  private readonly actor: string | undefined

  /** `world`: what is outside, for tests. */
  constructor({ namespace = 'default', actor, ...connection }: AlmanacOptions, world: Partial<World> = {}) {
    this.namespace = namespace
    this.actor = actor
    this.world = { ...platform, ...world }
    this.transport = new Transport(connection, this.world)
  }

  /** Any operation of the API, by method and path as `/openapi.json` has them. `namespace` is filled in. */
  async call<K extends Name>(
    name: K,
    input: Omit<Input, 'body' | 'query'> & { readonly query?: Query<K>; readonly body?: Body<K> } = {},
  ): Promise<Answer<K>> {
    const waitMs = waitOf(input.body) ?? waitOf(input.query)
    const answer = await this.transport.send({ ...this.requestOf(name, input), body: input.body, waitMs })
    return answer as Answer<K>
  }

  createTask(task: NewTask, options: WriteOptions = {}): Promise<Task> {
    return this.write('POST /v1/namespaces/{namespace}/tasks', {}, task, options)
  }

  /** Creates it, or replaces the one of this name. */
  putTask(task: NewTask, options: WriteOptions = {}): Promise<Task> {
    return this.write(
      'PUT /v1/namespaces/{namespace}/tasks/by-name/{name}',
      { name: task.name },
      task,
      options,
    )
  }

  /** The one of this name, untouched, or a new one. */
  ensureTask(task: NewTask, options: WriteOptions = {}): Promise<Task> {
    const headers = { 'if-none-match': '*' }
    return this.write(
      'PUT /v1/namespaces/{namespace}/tasks/by-name/{name}',
      { name: task.name },
      task,
      options,
      headers,
    )
  }

  task(id: string): Promise<Task> {
    return this.call('GET /v1/namespaces/{namespace}/tasks/{id}', { path: { id } })
  }

  taskByName(name: string): Promise<Task> {
    return this.call('GET /v1/namespaces/{namespace}/tasks/by-name/{name}', { path: { name } })
  }

  /** All that fit, page by page as they are asked for. */
  tasks(filter: TaskFilter = {}): AsyncGenerator<Task> {
    return this.pages('GET /v1/namespaces/{namespace}/tasks', filter)
  }

  /** A merge patch: null resets a field. */
  changeTask(id: string, changes: TaskChanges, options: WriteOptions = {}): Promise<Task> {
    return this.write('PATCH /v1/namespaces/{namespace}/tasks/{id}', { id }, changes, options)
  }

  /**
   * Reads the task, asks `decide` what to change, and writes that unless it changed meanwhile: then it is read and
   * decided again, five times at most. Undefined from `decide`: nothing is to be changed.
   */
  async updateTask(
    id: string,
    decide: (task: Task) => TaskChanges | undefined | Promise<TaskChanges | undefined>,
    options: Omit<WriteOptions, 'revision' | 'idempotencyKey'> = {},
  ): Promise<Task> {
    for (let left = 5; ; left -= 1) {
      const task = await this.task(id)
      const changes = await decide(task)
      if (changes === undefined) return task
      try {
        return await this.changeTask(id, changes, { ...options, revision: task.revision })
      } catch (error) {
        if (left === 0 || !isCode(error, 'revision_mismatch')) throw error
      }
    }
  }

  enableTask(id: string, options: WriteOptions = {}): Promise<Task> {
    return this.write('POST /v1/namespaces/{namespace}/tasks/{id}/enable', { id }, {}, options)
  }

  /** With `until` only for a time: it stays enabled, and what comes due before then does not run. */
  disableTask(
    id: string,
    { until, ...options }: WriteOptions & { readonly until?: Date } = {},
  ): Promise<Task> {
    const body = until === undefined ? {} : { until: until.toISOString() }
    return this.write('POST /v1/namespaces/{namespace}/tasks/{id}/disable', { id }, body, options)
  }

  /** Runs it now, with other arguments if you like; its rhythm stays what it is. */
  triggerTask(
    id: string,
    body: Body<'POST /v1/namespaces/{namespace}/tasks/{id}/trigger'> = {},
    options: WriteOptions = {},
  ) {
    return this.write('POST /v1/namespaces/{namespace}/tasks/{id}/trigger', { id }, body, options)
  }

  async deleteTask(id: string, options: WriteOptions = {}): Promise<void> {
    await this.write('DELETE /v1/namespaces/{namespace}/tasks/{id}', { id }, {}, options)
  }

  /** Who changed what, oldest first. */
  history(id: string): AsyncGenerator<Change> {
    return this.pages('GET /v1/namespaces/{namespace}/tasks/{id}/history', {}, { id })
  }

  /** Takes a change back, by a new one; `force`: also fields that were changed again since (else `undo_conflict`). */
  undo(
    id: string,
    revision: number,
    { force, ...options }: WriteOptions & { readonly force?: boolean } = {},
  ): Promise<Undone> {
    const path = { id, revision: String(revision) }
    const body = force === undefined ? {} : { force }
    return this.write(
      'POST /v1/namespaces/{namespace}/tasks/{id}/history/{revision}/undo',
      path,
      body,
      options,
    )
  }

  /** What became of past occurrences, and which will come. */
  async occurrences(
    id: string,
    query: Query<'GET /v1/namespaces/{namespace}/tasks/{id}/occurrences'> = {},
  ): Promise<readonly Occurrence[]> {
    return (await this.call('GET /v1/namespaces/{namespace}/tasks/{id}/occurrences', { path: { id }, query }))
      .items
  }

  /** When a schedule would fire, and its words. */
  preview(body: Body<'POST /v1/namespaces/{namespace}/schedules/preview'>) {
    return this.call('POST /v1/namespaces/{namespace}/schedules/preview', { body })
  }

  run(id: string): Promise<Run> {
    return this.call('GET /v1/namespaces/{namespace}/runs/{id}', { path: { id } })
  }

  runs(filter: RunFilter = {}): AsyncGenerator<Run> {
    return this.pages('GET /v1/namespaces/{namespace}/runs', filter)
  }

  /** Every change as it happens, for ever; after the event at this position, or from now on. */
  async *changes({ signal, ...query }: FeedOptions = {}): AsyncGenerator<Change> {
    const { path } = this.requestOf('GET /v1/namespaces/{namespace}/events', { query })
    yield* follow<Change>({
      open: (lastId, connection) =>
        this.transport.open({
          method: 'GET',
          path,
          headers: {
            accept: 'text/event-stream',
            ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
          },
          signal: connection,
        }),
      sleep: this.world.sleep,
      signal,
    })
  }

  /** Takes runs to work on; waits up to `waitMs` for the first. */
  async lease(
    queue: string,
    body: NonNullable<Body<'POST /v1/namespaces/{namespace}/queues/{queue}/lease'>> = {},
    signal?: AbortSignal,
  ): Promise<readonly Leased[]> {
    const name = 'POST /v1/namespaces/{namespace}/queues/{queue}/lease'
    return (await this.call(name, { path: { queue }, body, signal })).runs
  }

  /** The run succeeded. */
  async ack({ runId, leaseToken }: Pick<Leased, 'runId' | 'leaseToken'>): Promise<void> {
    await this.call('POST /v1/namespaces/{namespace}/runs/{id}/ack', {
      path: { id: runId },
      body: { leaseToken },
    })
  }

  /** It did not; it is handed out again while attempts are left. */
  async fail({ runId, leaseToken }: Pick<Leased, 'runId' | 'leaseToken'>, error: string): Promise<void> {
    await this.call('POST /v1/namespaces/{namespace}/runs/{id}/fail', {
      path: { id: runId },
      body: { leaseToken, error },
    })
  }

  private write<K extends Name>(
    name: K,
    path: Readonly<Record<string, string>>,
    body: Body<K>,
    { revision, reason, idempotencyKey, fenced, signal }: WriteOptions,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Answer<K>> {
    const headers = {
      ...more,
      ...(revision === undefined ? {} : { 'if-match': `"${revision}"` }),
      ...(reason === undefined ? {} : { 'almanac-reason': inHeader(reason) }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    }
    const query = (fenced === true ? { wait: 'fenced' } : {}) as Query<K>
    return this.call(name, { path, body, query, headers, signal })
  }

  private async *pages<K extends Name, T>(
    name: K,
    filter: object,
    path: Readonly<Record<string, string>> = {},
  ): AsyncGenerator<T> {
    let cursor: string | undefined
    do {
      const page = (await this.call(name, { path, query: { ...filter, cursor } as Query<K> })) as unknown as {
        readonly items: readonly T[]
        readonly nextCursor: string | null
      }
      yield* page.items
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
  }

  private requestOf(name: Name, { path = {}, query, headers, signal }: Input) {
    const [method = 'GET', template = ''] = name.split(' ')
    const values: Readonly<Record<string, string>> = { namespace: this.namespace, ...path }
    const filled = template.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(values[key] ?? ''))
    const actor = this.actor === undefined ? {} : { 'almanac-actor': inHeader(this.actor) }
    return { method, path: filled + queryText(query), headers: { ...actor, ...headers }, signal }
  }
}

/** How long the server is asked to wait, if it is. */
function waitOf(input: unknown): number | undefined {
  const isAsked = typeof input === 'object' && input !== null && 'waitMs' in input
  return isAsked && typeof input.waitMs === 'number' ? input.waitMs : undefined
}

/** Headers are sent as bytes, one for each character: text of others is its UTF-8. */
const inHeader = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text))

function queryText(query: object | undefined): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) {
    for (const one of [value].flat()) if (one !== undefined) search.append(key, String(one))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

import { Redis, type RedisOptions } from 'ioredis'
import type { LockClient } from 'redlock'
import { type AccessProblem, AccessRefused, isCertificateCode } from '../system/index.js'
import type { RedisAddress } from './address.js'
import type { Script } from './script.js'

export interface ConnectionOptions {
  /** A command that is not answered within this has failed. Milliseconds. */
  readonly commandMs: number
  /** Told in a sentence when the server is lost, and when it is back. */
  readonly notice: (message: string) => void
}

const slowestRetryMs = 1_000

/**
 * One server. A command fails at once when there is no connection, and after `commandMs` when there is no answer; it is
 * never kept back, and never sent again by itself:
 *
 * - `enableOfflineQueue: false`: with the queue, a command waits for a server that is gone, without end.
 * - `maxRetriesPerRequest: 0`: a lost connection fails what was sent over it at once. With 1, ioredis sends it again
 *   after the reconnection: a lease would be taken for somebody who has long been told that it failed.
 * - `commandTimeout` and `socketTimeout`: a server that is silent, though its connection stands, is given up, and
 *   connected to anew, or nobody would know until TCP does, after many minutes.
 */
export class RedisConnection implements LockClient {
  readonly name: string
  private readonly redis: Redis
  private readonly options: ConnectionOptions
  private isLost = false
  private problem = 'not connected yet'
  private refused: AccessRefused | undefined

  constructor(address: RedisAddress, options: ConnectionOptions) {
    this.name = address.name
    this.options = options
    this.redis = new Redis(redisOptions(address, options.commandMs))
    this.redis.on('error', (error) => this.failed(error))
    this.redis.on('close', () => this.lost())
    this.redis.on('ready', () => this.found())
  }

  get isReady(): boolean {
    return this.redis.status === 'ready'
  }

  /** Why the last attempt to connect has found the server, and no way in. */
  get refusal(): AccessRefused | undefined {
    return this.refused
  }

  /** Resolves at the first outcome: connected, or not. */
  attempted(): Promise<void> {
    if (this.isReady || this.isLost) return Promise.resolve()
    return new Promise((resolve) => {
      this.redis.once('ready', resolve)
      this.redis.once('close', () => resolve())
    })
  }

  evalsha(hash: string, keys: number, values: (string | number)[]): Promise<unknown> {
    return this.named(this.redis.evalsha(hash, keys, ...values))
  }

  eval(script: string, keys: number, values: (string | number)[]): Promise<unknown> {
    return this.named(this.redis.eval(script, keys, ...values))
  }

  async run(script: Script, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.evalsha(script.hash, keys.length, [...keys, ...values])
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('NOSCRIPT')) throw error
      return await this.eval(script.text, keys.length, [...keys, ...values])
    }
  }

  hgetall(key: string): Promise<Record<string, string>> {
    return this.named(this.redis.hgetall(key))
  }

  /** A connection of its own for a channel. `onSubscribed` is called each time that it is on, first or again. */
  subscribe(channel: string, onMessage: (text: string) => void, onSubscribed: () => void): () => void {
    const subscriber = this.redis.duplicate({ autoResubscribe: false })
    // What there is to say is said by the main connection.
    subscriber.on('error', () => {})
    subscriber.on('message', (_, text) => onMessage(text))
    subscriber.on('ready', () => void subscriber.subscribe(channel).then(onSubscribed, () => {}))
    return () => subscriber.disconnect()
  }

  close(): void {
    this.isLost = true
    this.redis.disconnect()
  }

  /** Says which server it was. NOSCRIPT stays at the front: redlock looks for it there. */
  private async named<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (message.startsWith('NOSCRIPT')) throw error
      const text = this.isReady ? message : this.problem
      throw new Error(`Redis ${this.name}: ${text}`, { cause: error })
    }
  }

  private failed(error: Error): void {
    this.problem = error.message === '' ? error.name : error.message
    const problem = refusedFor(error)
    if (problem === undefined) return
    const text = problem === 'credentials' ? 'does not let this user in' : 'is not spoken to'
    // Not with the error itself as its cause: ioredis has the command on it, which is AUTH with the password.
    this.refused = new AccessRefused(problem, `Redis ${this.name} ${text}: ${this.problem}`)
  }

  private lost(): void {
    if (this.isLost) return
    this.isLost = true
    this.options.notice(`Redis ${this.name} can not be reached: ${this.problem}`)
  }

  private found(): void {
    if (this.isLost) this.options.notice(`Redis ${this.name} can be reached again`)
    this.isLost = false
    this.refused = undefined
    this.problem = 'the connection was lost'
  }
}

const refusedFor = (error: Error): AccessProblem | undefined => {
  // What the server's check of readiness came to has a text before it.
  if (/\b(WRONGPASS|NOAUTH|NOPERM|AUTH failed)\b/.test(error.message)) return 'credentials'
  return isCertificateCode('code' in error ? error.code : undefined) ? 'certificate' : undefined
}

function redisOptions(
  address: RedisAddress,
  commandMs: number,
): RedisOptions & { readonly replyMapping: 'legacy' } {
  const { host, port, db, username, password, tls } = address
  return {
    host,
    port,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    connectionName: 'almanac',
    replyMapping: 'legacy',
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: commandMs,
    socketTimeout: commandMs,
    connectTimeout: commandMs,
    disconnectTimeout: commandMs,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), slowestRetryMs),
    // A former primary that only reads now: its name may lead elsewhere by now.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  }
}

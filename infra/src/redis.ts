import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { ChildServer, freePorts } from './child-server.js'

export interface StartRedisOptions {
  /** Holds the log, and what the server saves when `settings` say so. */
  readonly folder: string
  /** Default: a free port. */
  readonly port?: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** The server's own settings, such as `appendonly`: added to those below, or in place of them. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/** A Redis in a process of its own. */
export interface RedisServer {
  readonly url: string
  readonly host: string
  readonly port: number
  /** What the server prints. */
  readonly logFile: string
  /** Of the process that runs now. */
  readonly pid: number
  /** Asks it to end, and waits for it. */
  stop(): Promise<void>
  /** Ends it as a failing machine would. */
  kill(): Promise<void>
  /** Starts it again after `stop` or `kill`, at the same port, and waits until it answers. */
  start(): Promise<void>
  /** It stands still: connections stay, and nothing is answered. */
  freeze(): void
  thaw(): void
}

/** Nothing is kept: one that is started again is empty. */
const settingsOfAll = { save: '', appendonly: 'no', 'protected-mode': 'no' } as const

const readyWithinMs = 10_000

/** Starts a `redis-server`, and resolves when it answers. It ends with the process that called. */
export async function startRedis(options: StartRedisOptions): Promise<RedisServer> {
  const { folder, host = '127.0.0.1' } = options
  const [free = 0] = await freePorts(1, host)
  await mkdir(folder, { recursive: true })
  const server = new LocalRedis({ ...options, host, port: options.port ?? free })
  await server.start()
  return server
}

class LocalRedis implements RedisServer {
  readonly url: string
  readonly host: string
  readonly port: number
  readonly logFile: string
  private readonly options: StartRedisOptions
  private child: ChildServer | undefined

  constructor(options: StartRedisOptions & { readonly host: string; readonly port: number }) {
    this.options = options
    this.host = options.host
    this.port = options.port
    this.url = `redis://${options.host}:${options.port}`
    this.logFile = join(options.folder, 'redis.log')
  }

  get pid(): number {
    return this.running.pid
  }

  async start(): Promise<void> {
    if (this.child?.isRunning === true) throw new Error('Redis is running')
    const { folder, settings } = this.options
    const all = { ...settingsOfAll, dir: folder, bind: this.host, port: this.port, ...settings }
    const config = join(folder, 'redis.conf')
    await writeFile(config, linesOf(all))
    this.child = new ChildServer({ command: 'redis-server', args: [config], logFile: this.logFile })
    await this.child.untilReady(() => answers(this.host, this.port), readyWithinMs)
  }

  async stop(): Promise<void> {
    await this.child?.end('SIGTERM')
  }

  async kill(): Promise<void> {
    await this.child?.end('SIGKILL')
  }

  freeze(): void {
    this.running.freeze()
  }

  thaw(): void {
    this.running.thaw()
  }

  private get running(): ChildServer {
    if (this.child === undefined) throw new Error('Redis has not been started')
    return this.child
  }
}

/** Values may be of several words. */
const linesOf = (settings: Readonly<Record<string, string | number>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${value === '' ? '""' : value}\n`)
    .join('')

/** True when it answers a PING: while it loads what it had saved, it says no. A password is no reason to wait. */
const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 }, () => socket.write('PING\r\n'))
    const settle = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('data', (data) => settle(/^(\+PONG|-NOAUTH)/.test(data.toString())))
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
    socket.once('close', () => settle(false))
  })

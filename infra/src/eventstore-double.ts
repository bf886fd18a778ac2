import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface StartEventStoreDoubleOptions {
  /** For its data and its output. It begins with what is there. */
  readonly folder: string
  /** @default any that is free */
  readonly port?: number
  /** Files in PEM. Default: no TLS. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  /** Who may come in. Default: everybody. */
  readonly users?: Readonly<
    Record<string, { readonly password: string; readonly groups?: readonly string[] }>
  >
}

const script = fileURLToPath(
  new URL('../../packages/eventstore-double/bin/eventstore-double.mjs', import.meta.url),
)

/** The double of EventStoreDB as a process of its own, which does not outlive this one. */
export class EventStoreDoubleServer {
  private readonly child: ChildProcess
  private readonly ended: Promise<unknown>
  private readonly waiting: { resolve(line: Answer): void; reject(error: Error): void }[] = []
  readonly port: number
  /** For a client. */
  readonly connectionString: string

  /** Use `startEventStoreDouble`. */
  constructor(child: ChildProcess, lines: ReturnType<typeof createInterface>, listening: Listening) {
    this.child = child
    this.port = listening.port
    this.connectionString = listening.connectionString
    lines.on('line', (line) => this.waiting.shift()?.resolve(JSON.parse(line) as Answer))
    this.ended = once(child, 'exit').then(() => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error('The double has ended.'))
    })
  }

  /**
   * Tells it to do something, or to be at fault: see `Order` in packages/eventstore-double/src/control.ts. Resolves
   * with its answer.
   */
  async order(order: { readonly do: string; readonly [key: string]: unknown }): Promise<unknown> {
    const answered = new Promise<Answer>((resolve, reject) => this.waiting.push({ resolve, reject }))
    this.child.stdin?.write(`${JSON.stringify(order)}\n`)
    const { ok, answer, error } = await answered
    if (!ok) throw new Error(error ?? 'The double refused an order.')
    return answer
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    await this.end('SIGTERM')
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    await this.end('SIGKILL')
  }

  freeze(): void {
    this.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.child.kill('SIGCONT')
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.child.kill(signal)
    this.child.kill('SIGCONT')
    await this.ended
  }
}

interface Listening {
  readonly port: number
  readonly connectionString: string
}

interface Answer {
  readonly ok: boolean
  readonly answer?: unknown
  readonly error?: string
}

/** Starts the double; it needs the build. It listens when this resolves. */
export async function startEventStoreDouble(
  options: StartEventStoreDoubleOptions,
): Promise<EventStoreDoubleServer> {
  const { folder, port = 0 } = options
  const log = openSync(join(folder, 'eventstore-double.log'), 'a')
  const place = ['--data', join(folder, 'eventstore-double'), '--port', `${port}`]
  const args = [script, ...place, ...accessFlags(options), '--with-parent']
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', log] })
  if (child.stdout === null) throw new Error('The double has no output.')
  const lines = createInterface({ input: child.stdout })
  const [first] = (await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => [])])) as string[]
  if (first === undefined) throw new Error(`The double did not start: see ${folder}/eventstore-double.log`)
  return new EventStoreDoubleServer(child, lines, JSON.parse(first) as Listening)
}

function accessFlags({ folder, tls, users }: StartEventStoreDoubleOptions): readonly string[] {
  const flags = tls === undefined ? [] : ['--tls-certificate', tls.certFile, '--tls-key', tls.keyFile]
  if (users === undefined) return flags
  const file = join(folder, 'eventstore-double.users.json')
  writeFileSync(file, JSON.stringify(users), { mode: 0o600 })
  return [...flags, '--users', file]
}

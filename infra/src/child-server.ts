import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'

export interface ChildServerOptions {
  readonly command: string
  readonly args: readonly string[]
  /** Standard output and error are appended to this file. */
  readonly logFile: string
  readonly env?: Readonly<Record<string, string>>
}

/** A server as a child process, which does not outlive the process that has started it. */
export class ChildServer {
  private readonly options: ChildServerOptions
  private readonly child: ChildProcess
  private readonly guard: ChildProcess
  private readonly ended: Promise<void>

  constructor(options: ChildServerOptions) {
    this.options = options
    const log = openSync(options.logFile, 'a')
    this.child = spawn(options.command, options.args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
    })
    this.ended = once(this.child, 'exit').then(
      () => this.letGo(),
      () => this.letGo(),
    )
    this.guard = guardOver(this.child)
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.options.command} could not be started`)
    return this.child.pid
  }

  get isRunning(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  /** Sends the signal and waits for the end. One that stood still is woken up for it. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.child.kill(signal)
    this.child.kill('SIGCONT')
    await this.ended
  }

  freeze(): void {
    this.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.child.kill('SIGCONT')
  }

  /** Asks until it says yes. Throws with the end of its log when it dies, or when it takes longer than `patienceMs`. */
  async untilReady(isReady: () => Promise<boolean>, patienceMs: number): Promise<void> {
    const until = performance.now() + patienceMs
    while (!(await isReady())) {
      const isLate = performance.now() > until
      if (this.isRunning && !isLate) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        continue
      }
      await this.end('SIGKILL')
      const why = isLate ? `is not ready after ${patienceMs} ms` : 'has ended'
      throw new Error(`${this.options.command} ${why}:\n${this.lastLines()}`)
    }
  }

  private lastLines(): string {
    return readFileSync(this.options.logFile, 'utf8').split('\n').slice(-40).join('\n')
  }

  private letGo(): void {
    this.guard.kill('SIGKILL')
  }
}

/**
 * A shell that waits for the end of its input, which is this process' end however it comes, and then kills the child.
 * It is a session of its own, so that an interrupt from the keyboard does not end it first.
 */
export function guardOver(child: ChildProcess): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$1"', 'guard', `${child.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  return guard
}

/** Ports that nobody listens on, all different. */
export async function freePorts(count: number, host = '127.0.0.1'): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, host))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { guardOver } from './guard.js'
import type { FromNode, ToNode } from './node-messages.js'
import type { ClockState } from './stepped-clock.js'

/** How a process ended. */
export interface End {
  readonly code: number | null
  readonly signal: string | null
  /** What it said before it gave up; undefined: nothing. */
  readonly fatal: string | undefined
}

export interface NodeProcessOptions {
  /** Environment of the node, added to this process'. */
  readonly env: Readonly<Record<string, string>>
  readonly logFile: string
  /** Modules that Node loads first. */
  readonly imports: readonly string[]
}

const entry = fileURLToPath(new URL('./node.js', import.meta.url))

/** One life of a node: a process that does not outlive this one, however either of them ends. */
export class NodeProcess {
  readonly ended: Promise<End>
  isReady = false
  private readonly child: ChildProcess
  private fatal: string | undefined
  private isFrozen = false

  constructor({ env, logFile, imports }: NodeProcessOptions) {
    const log = openSync(logFile, 'a')
    this.child = fork(entry, [], {
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...process.env, ...env },
      execArgv: ['--enable-source-maps', ...imports.flatMap((path) => ['--import', path])],
    })
    this.child.on('message', (message: FromNode) => this.hear(message))
    // A process that is ending hears no more.
    this.child.on('error', () => {})
    const guard = guardOver(this.child)
    this.ended = once(this.child, 'exit').then(([code, signal]: (number | string | null)[]) => {
      guard.kill('SIGKILL')
      return { code: Number(code ?? 0), signal: signal === null ? null : `${signal}`, fatal: this.fatal }
    })
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  get isAwake(): boolean {
    return this.isRunning && !this.isFrozen
  }

  setClock(clock: ClockState): void {
    if (this.child.connected) this.child.send({ clock } satisfies ToNode, () => {})
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  freeze(): void {
    this.isFrozen = true
    this.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.isFrozen = false
    this.child.kill('SIGCONT')
  }

  /** Asks it to end. */
  terminate(): void {
    this.child.kill('SIGTERM')
  }

  private hear(message: FromNode): void {
    if (message.kind === 'ready') this.isReady = true
    else this.fatal = message.message
  }
}

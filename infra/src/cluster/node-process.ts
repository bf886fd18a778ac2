import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, openSync, readFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { guardOver } from '../child-server.js'
import type { NodeLayout } from './layout.js'
import { byHandVariable, markVariable, pause } from './marked.js'
import type { Part } from './part.js'

export interface NodeProcessOptions {
  readonly node: NodeLayout
  readonly program: string
  readonly mark: string
  /** A line that it writes to standard error. */
  readonly onProblem: (line: string, logFile: string) => void
  /** How long it may take until it is ready. Milliseconds. @default 180000 */
  readonly patienceMs?: number
}

/** Starts a node, and resolves when it says that it is ready. */
export async function startNode(options: NodeProcessOptions): Promise<Part> {
  const { node, patienceMs = 180_000 } = options
  await mkdir(node.folder, { recursive: true })
  await writeStartScript(options)
  const started = new NodeProcess(options)
  const until = performance.now() + patienceMs
  while (!(await isReady(node))) {
    const isLate = performance.now() > until
    if (started.ending() === undefined && !isLate) {
      await pause(50)
      continue
    }
    const why = isLate ? `was not ready after ${patienceMs / 1_000} s` : `ended ${started.ending()}`
    await started.end('SIGKILL')
    throw new Error(`${node.name} ${why}. The end of ${started.logFile}:\n${lastLines(started.logFile)}`)
  }
  return started
}

class NodeProcess implements Part {
  readonly name: string
  readonly address: string
  readonly logFile: string
  private readonly child: ChildProcess
  private readonly ended: Promise<void>

  constructor({ node, program, mark, onProblem }: NodeProcessOptions) {
    this.name = node.name
    this.address = node.url
    this.logFile = join(node.folder, 'node.log')
    const log = openSync(this.logFile, 'a')
    this.child = spawn(process.execPath, ['--max-semi-space-size=64', program], {
      cwd: node.folder,
      env: { ...ownEnvironment(), ...node.env, [markVariable]: mark },
      stdio: ['ignore', log, 'pipe'],
    })
    const guard = guardOver(this.child)
    this.ended = once(this.child, 'close').then(
      () => void guard.kill('SIGKILL'),
      () => void guard.kill('SIGKILL'),
    )
    let rest = ''
    this.child.stderr?.on('data', (chunk: Buffer) => {
      appendFileSync(log, chunk)
      const lines = `${rest}${chunk.toString('utf8')}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim() !== '') onProblem(line, this.logFile)
    })
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} could not be started`)
    return this.child.pid
  }

  ending(): string | undefined {
    if (this.child.signalCode !== null) return `by ${this.child.signalCode}`
    return this.child.exitCode === null ? undefined : `with code ${this.child.exitCode}`
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.child.kill(signal)
    this.child.kill('SIGCONT')
    await this.ended
  }
}

/** What the shell has set for another Almanac is not meant for these nodes; telemetry may be. */
const ownEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith('ALMANAC_') || name === 'ALMANAC_TELEMETRY',
    ),
  )

const isReady = ({ operationsPort }: NodeLayout): Promise<boolean> =>
  fetch(`http://127.0.0.1:${operationsPort}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.ok
    },
    () => false,
  )

export const lastLines = (file: string, count = 20): string => {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
  } catch {
    return ''
  }
}

/** For who has killed a node and wants it back: the very command, to be run in a terminal of its own. */
async function writeStartScript({ node, program, mark }: NodeProcessOptions): Promise<void> {
  const file = startScriptOf(node)
  const variables = Object.entries({ ...node.env, [markVariable]: mark, [byHandVariable]: '1' })
  const text = [
    '#!/bin/sh',
    `# Starts ${node.name} as \`npm run cluster\` did. Ctrl-C stops it; it also stops with the cluster.`,
    ...variables.map(([name, value]) => `export ${name}=${quoted(value)}`),
    `cd ${quoted(node.folder)} || exit 1`,
    `exec ${quoted(process.execPath)} ${quoted(program)}`,
  ]
  await writeFile(file, `${text.join('\n')}\n`)
  await chmod(file, 0o755)
}

export const startScriptOf = ({ folder }: NodeLayout): string => join(folder, 'start.sh')

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

// A node of a cluster as a process of its own, as production has it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sleep } from './scenario.mjs'

const program = fileURLToPath(new URL('../bin/almanac-node.js', import.meta.resolve('@almanac/scheduler')))

/** The node's input is a pipe that nobody writes to: its end is the end of this process, however that comes. */
const endsWithParent = `data:text/javascript,${encodeURIComponent(
  `process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume().unref()`,
)}`

export class NodeProcess {
  #child
  #isExpected = false

  /** `onSay`: a line of its standard output. */
  constructor({ name, port, folder, env, execArgv = [], onSay = () => {} }) {
    this.name = name
    this.url = `http://127.0.0.1:${port}`
    this.logFile = join(folder, `${name}.log`)
    const data = join(folder, name)
    mkdirSync(data, { recursive: true })
    const log = openSync(this.logFile, 'a')
    // What the shell has set for another Almanac is not meant for this one.
    const shell = Object.entries(process.env).filter(([key]) => !key.startsWith('ALMANAC_'))
    const own = { ALMANAC_NODE: name, ALMANAC_PORT: `${port}`, ALMANAC_DATA: data, ...env }
    const argv = ['--max-semi-space-size=64', ...execArgv, '--import', endsWithParent, program]
    this.#child = spawn(process.execPath, argv, {
      env: { ...Object.fromEntries(shell), ...own },
      cwd: data,
      stdio: ['pipe', 'pipe', log],
    })
    this.#child.stdout.on('data', (chunk) => {
      writeSync(log, chunk)
      for (const line of String(chunk).split('\n')) if (line !== '') onSay(line)
    })
    this.ended = once(this.#child, 'exit').then(([code, signal]) => {
      if (this.#isExpected) return
      console.error(`${name} has ended (${signal ?? `code ${code}`}):\n${this.lastLines()}`)
    })
  }

  get pid() {
    return this.#child.pid
  }

  get isRunning() {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Sends the signal, and answers when it was sent and how long the end took. */
  async end(signal) {
    this.#isExpected = true
    const at = Date.now()
    this.#child.kill(signal)
    await this.ended
    return { at, tookMs: Date.now() - at }
  }

  async untilReady(patienceMs) {
    const until = Date.now() + patienceMs
    const isReady = () =>
      fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
        async (answer) => {
          await answer.arrayBuffer()
          return answer.ok
        },
        () => false,
      )
    while (!(await isReady())) {
      if (!this.isRunning) throw new Error(`${this.name} has ended`)
      if (Date.now() > until) throw new Error(`${this.name} is not ready:\n${this.lastLines()}`)
      await sleep(50)
    }
  }

  lastLines(count = 20) {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
  }

  /** MiB now, and the most that it ever was. */
  memory() {
    const text = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    const mib = (field) => Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1]) / 1_024)
    return { now: mib('VmRSS'), peak: mib('VmHWM') }
  }

  cpuSeconds() {
    return cpuSecondsOf(this.pid)
  }
}

/** Seconds of processor time of a process so far, of all its threads. */
export function cpuSecondsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

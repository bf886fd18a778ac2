import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const command = `${root}packages/cli/bin/almanac.js`

/** A child process with all that it has printed. */
export interface Running {
  readonly process: ChildProcess
  /** Standard output and error, as they came. */
  output(): string
  /** Resolves with the first match in the output; rejects when the process ends before, or after a minute. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves with the exit code; null when a signal ended it. */
  ended: Promise<number | null>
}

const patienceMs = 60_000

/** Starts `node` with a script of this repository. */
export const start = (script: string, args: readonly string[], env: Record<string, string> = {}): Running => {
  const child = spawn(process.execPath, [script, ...args], { cwd: root, env: { ...process.env, ...env } })
  let output = ''
  const watchers = new Set<() => void>()
  const take = (chunk: Buffer) => {
    output += chunk.toString('utf8')
    for (const watcher of watchers) watcher()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null)
  const says = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const settle = (then: () => void) => {
        clearTimeout(timer)
        watchers.delete(look)
        then()
      }
      const look = () => {
        const match = pattern.exec(output)
        if (match) settle(() => resolve(match))
      }
      const give = (why: string) => settle(() => reject(new Error(`${why} before ${pattern}:\n${output}`)))
      const timer = setTimeout(() => give(`${patienceMs} ms went by`), patienceMs)
      watchers.add(look)
      ended.then(() => {
        look()
        give('ended')
      })
      look()
    })
  return { process: child, output: () => output, says, ended }
}

/** Starts the server as users do. It needs the build: `npm test` makes it. */
export const startServer = async (data: string, port = 0): Promise<Running & { readonly url: string }> => {
  if (!existsSync(`${root}packages/cli/dist/main.js`))
    throw new Error('Run `npm run build` before this test.')
  const running = start(command, ['serve', '--port', String(port), '--data', data])
  const [, url = ''] = await running.says(/is running at (\S+)/)
  return { ...running, url }
}

/** Runs one command to its end. */
export const almanac = async (url: string, ...args: string[]) => {
  const running = start(command, args, { ALMANAC_URL: url, NO_COLOR: '1' })
  const code = await running.ended
  return { code, output: running.output() }
}

/** Asks again until the answer is as wanted; rejects with the last one after a minute. */
export const eventually = async <T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> => {
  const until = performance.now() + patienceMs
  for (;;) {
    const answer = await ask()
    if (wanted(answer)) return answer
    if (performance.now() > until) throw new Error(`not within ${patienceMs} ms: ${JSON.stringify(answer)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

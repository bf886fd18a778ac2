import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { killMarked, markVariable } from './marked.js'
import { helpText, parseOptions } from './options.js'
import { supervise } from './supervise.js'

const supervising = '--supervise'

/**
 * `npm run cluster`. Two processes look after each other: this one has the terminal, the other one starts, watches and
 * stops the cluster, in a session of its own, so that Ctrl-C reaches no server before its turn. When this one is
 * killed, the other one sees its input end and stops everything; when the other one is killed, this one ends what it
 * left. Resolves with the exit code: 0 stopped, 1 failed, 2 wrong options or something missing.
 */
export async function runCluster(process: NodeJS.Process): Promise<number> {
  const [, program = '', ...argv] = process.argv
  if (argv[0] === supervising) return await supervise(process, argv.slice(1))
  const parsed = parseOptions(argv)
  if (parsed.kind === 'help') {
    process.stdout.write(`${helpText}\n`)
    return 0
  }
  if (parsed.kind === 'problems') {
    process.stderr.write(`${parsed.problems.join('\n')}\n`)
    return 2
  }
  return await show(process, program, argv)
}

async function show(process: NodeJS.Process, program: string, argv: readonly string[]): Promise<number> {
  const mark = randomUUID()
  const supervisor = spawn(process.execPath, [program, supervising, ...argv], {
    detached: true,
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { ...process.env, [markVariable]: mark },
  })
  supervisor.stdin?.on('error', () => {})
  passSignalsOn(process, supervisor)
  const [code, signal]: [number | null, string | null] = (await once(supervisor, 'exit')) as [
    number | null,
    string | null,
  ]
  await killMarked(mark)
  if (signal !== null)
    process.stderr.write(`The supervisor was ended by ${signal}. Nothing that it had started is left.\n`)
  return code ?? 1
}

function passSignalsOn(process: NodeJS.Process, supervisor: ChildProcess): void {
  let asked: number | undefined
  const stop = () => {
    const now = performance.now()
    if (asked === undefined) {
      asked = now
      process.stdout.write('\nStopping. Once more to end at once.\n')
      supervisor.stdin?.write('stop\n')
    } else if (now - asked > echoMs) supervisor.stdin?.write('kill\n')
  }
  process.stdout.on('error', () => {})
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop)
  // npm, or a terminal, that was killed asks for nothing any more.
  const ancestors = ancestorsOf(process)
  const look = setInterval(() => {
    if (ancestorsOf(process) === ancestors) return
    clearInterval(look)
    stop()
  }, 500)
  look.unref()
}

/** The parent; and npm, where a shell of its own stands between: it outlives npm, and waits for this process. */
function ancestorsOf({ ppid, env }: NodeJS.Process): string {
  if (env.npm_lifecycle_event === undefined) return `${ppid}`
  try {
    const [, name, , grandparent] =
      /\((.*)\) (\S) (\d+)/.exec(readFileSync(`/proc/${ppid}/stat`, 'utf8')) ?? []
    return name === 'sh' ? `${ppid} ${grandparent}` : `${ppid}`
  } catch {
    return `${ppid}`
  }
}

/** npm passes Ctrl-C on, so one press comes twice. */
const echoMs = 500

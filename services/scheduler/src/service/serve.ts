import { type Flags, optionSources, optionsHelp, parseFlags } from '@almanac/adapters/system'
import type { AccessLine } from '@almanac/api'
import { type ConfigResult, type ProcessConfig, resolveConfig } from './config.js'
import { options } from './options.js'
import { StartProblem } from './start-problem.js'

export interface StartCallbacks {
  /** Read models being built: how far, of how much. */
  readonly onProgress?: (position: number, head: number) => void
  /** Something worth telling: a repair, a fault that is tried again. */
  readonly notice?: (message: string) => void
  /** The server cannot go on and must be stopped: storage failed, or a loop of it ended. */
  readonly onFatal?: (error: unknown) => void
  readonly accessLog?: (line: AccessLine) => void
}

/** A server that has been started and is ready. */
export interface Running {
  /** `http://127.0.0.1:7420` */
  readonly url: string
  /** Answers requests under way, finishes what is under way, gives back what it holds. May be called again. */
  stop(): Promise<void>
}

/** A program that is one server. */
export interface Program {
  readonly version: string
  /** First line of `--help`. */
  readonly title: string
  /** Throws `StartProblem` for what the user can mend. */
  start(config: ProcessConfig, callbacks: StartCallbacks): Promise<Running>
  /** Told on standard output once it runs. */
  welcome(running: Running, config: ProcessConfig): string
}

type ProcessPart = Pick<NodeJS.Process, 'argv' | 'env' | 'stdout' | 'stderr' | 'on' | 'exit' | 'cwd'>

/**
 * The server as a command: reads the configuration, starts, prints where to look, runs until SIGINT or SIGTERM, stops
 * in order (a second signal ends it at once). Resolves with the exit code: 0 stopped, 1 failed, 2 wrong configuration.
 */
export async function serve(
  process: ProcessPart,
  program: Program,
  argv: readonly string[] = process.argv.slice(2),
): Promise<number> {
  const say = (text: string) => process.stdout.write(`${text}\n`)
  const complain = (text: string) => process.stderr.write(`${text}\n`)
  const flags = parseFlags(options, argv)
  if (typeof flags === 'string') {
    complain(flags)
    return 2
  }
  if (flags.help === true || flags.version === true) {
    say(flags.help === true ? `${program.title}\n\n${optionsHelp(options)}` : program.version)
    return 0
  }
  const resolved = readConfig(process, flags)
  if (!resolved.ok) {
    for (const problem of resolved.problems) complain(problem)
    return 2
  }
  return await run(process, program, resolved.config, say, complain)
}

function readConfig(process: ProcessPart, flags: Flags): ConfigResult {
  const sources = optionSources(process, flags)
  return typeof sources === 'string' ? { ok: false, problems: [sources] } : resolveConfig(sources)
}

async function run(
  process: ProcessPart,
  program: Program,
  config: ProcessConfig,
  say: (text: string) => void,
  complain: (text: string) => void,
): Promise<number> {
  let end: (code: number) => void = () => {}
  const ended = new Promise<number>((resolve) => {
    end = resolve
  })
  let signals = 0
  let server: Running | undefined
  const onSignal = () => {
    if (++signals > 1) process.exit(1)
    // Nothing is held yet that would have to be given back.
    if (server === undefined) process.exit(0)
    say('Stopping. Once more to end at once.')
    end(0)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    server = await program.start(config, {
      onProgress: progress(process, say),
      notice: complain,
      onFatal: (error) => {
        complain(`Almanac cannot go on: ${error instanceof Error ? error.message : String(error)}`)
        end(1)
      },
      ...(config.accessLog ? { accessLog: (line: object) => say(JSON.stringify(line)) } : {}),
    })
  } catch (error) {
    complain(
      error instanceof StartProblem ? error.message : String(error instanceof Error ? error.stack : error),
    )
    return 1
  }
  say(program.welcome(server, config))
  const code = await ended
  await server.stop()
  return code
}

/** On a terminal one line that moves, else a line for each tenth. Small logs are read without a word. */
function progress(process: ProcessPart, say: (text: string) => void) {
  const quietBelow = 20_000
  let told = -1
  return (position: number, head: number): void => {
    if (head < quietBelow) return
    const percent = Math.floor((position / head) * 100)
    if (percent === told) return
    const isTerminal = process.stdout.isTTY === true
    if (!isTerminal && Math.floor(percent / 10) === Math.floor(told / 10)) return
    told = percent
    const text = `Building the read models: ${percent} % of ${head} events`
    if (isTerminal) process.stdout.write(`\r${text}${percent === 100 ? '\n' : ''}`)
    else say(text)
  }
}

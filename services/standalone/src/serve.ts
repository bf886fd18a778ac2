import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { nearest } from '@almanac/recurrence'
import { type ConfigResult, resolveConfig, type StandaloneConfig } from './config.js'
import { type Standalone, startStandalone, version } from './main.js'
import { environmentName, flagName, optionNames, optionSpec } from './options.js'
import { StartProblem } from './start-problem.js'

type ProcessPart = Pick<NodeJS.Process, 'argv' | 'env' | 'stdout' | 'stderr' | 'on' | 'exit' | 'cwd'>

/**
 * The server as a command: reads the configuration, starts, prints where to look, runs until SIGINT or SIGTERM, stops
 * in order (a second signal ends it at once). Resolves with the exit code: 0 stopped, 1 failed, 2 wrong configuration.
 */
export async function serve(
  process: ProcessPart,
  argv: readonly string[] = process.argv.slice(2),
): Promise<number> {
  const say = (text: string) => process.stdout.write(`${text}\n`)
  const complain = (text: string) => process.stderr.write(`${text}\n`)
  const flags = parseFlags(argv)
  if (typeof flags === 'string') {
    complain(flags)
    return 2
  }
  if (flags.help === true || flags.version === true) {
    say(flags.help === true ? help() : version)
    return 0
  }
  const resolved = readConfig(process, flags)
  if (!resolved.ok) {
    for (const problem of resolved.problems) complain(problem)
    return 2
  }
  return await run(process, resolved.config, say, complain)
}

async function run(
  process: ProcessPart,
  config: StandaloneConfig,
  say: (text: string) => void,
  complain: (text: string) => void,
): Promise<number> {
  let end: (code: number) => void = () => {}
  const ended = new Promise<number>((resolve) => {
    end = resolve
  })
  let signals = 0
  const onSignal = () => {
    if (++signals > 1) process.exit(1)
    say('Stopping. Once more to end at once.')
    end(0)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  let server: Standalone
  try {
    server = await startStandalone(config, {
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
  say(welcome(server.url, config))
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

type Flags = { readonly [flag: string]: string | boolean | undefined }

function parseFlags(argv: readonly string[]): Flags | string {
  const known: { [flag: string]: { type: 'string' | 'boolean'; short?: string } } = {
    config: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
  }
  for (const option of optionNames) {
    known[flagName(option)] = { type: optionSpec(option).kind === 'boolean' ? 'boolean' : 'string' }
  }
  const unknown = argv.find(
    (word) => word.startsWith('--') && known[word.slice(2).split('=')[0] ?? ''] === undefined,
  )
  if (unknown !== undefined) {
    const near = nearest(unknown.slice(2).split('=')[0] ?? '', Object.keys(known))
    return `${unknown} is not an option${near === undefined ? '; --help lists them' : `; did you mean --${near}?`}`
  }
  try {
    return parseArgs({ args: [...argv], options: known, strict: true }).values
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function readConfig(process: ProcessPart, flags: Flags): ConfigResult {
  const { env } = process
  const named = typeof flags.config === 'string' ? flags.config : env.ALMANAC_CONFIG
  const path = resolve(process.cwd(), named ?? 'almanac.json')
  if (named === undefined && !existsSync(path)) return resolveConfig({ flags, env })
  try {
    return resolveConfig({ flags, env, file: { path, text: readFileSync(path, 'utf8') } })
  } catch (error) {
    return {
      ok: false,
      problems: [`${path} cannot be read: ${error instanceof Error ? error.message : error}`],
    }
  }
}

function welcome(url: string, config: StandaloneConfig): string {
  const address = url === 'http://127.0.0.1:7420' ? '' : ` (with ALMANAC_URL=${url})`
  return [
    `Almanac ${version} is running at ${url}`,
    `Data is in ${resolve(config.data)}`,
    '',
    `What to try next${address}:`,
    `  ${url}/       what runs, as it runs`,
    `  ${url}/docs   the HTTP API`,
    '  npx almanac preview "0 2 * * mon"',
    '  npx almanac import celery packages/cli/fixtures/django-celery-beat.fixture.json',
    '  node examples/worker.mjs',
    '  npx almanac tasks list',
    '  npx almanac runs list --follow',
    '',
    'Ctrl-C stops it; nothing is lost.',
  ].join('\n')
}

function help(): string {
  const lines = optionNames.map((option) => {
    const { default: preset, description, unit } = optionSpec(option)
    const value = preset === null ? 'unset' : String(preset)
    const of = unit === undefined ? '' : ` ${unit}`
    return `  --${flagName(option).padEnd(22)} ${environmentName(option)} (${value}${of})\n      ${description}`
  })
  return [
    'Almanac standalone: scheduler, API and data in one process.',
    '',
    'Options, their environment variables and defaults. Also keys of almanac.json, or of the file ' +
      'named by --config.',
    '',
    ...lines,
  ].join('\n')
}

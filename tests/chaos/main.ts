import { faultNames, whatDoes } from './faults/nemesis.js'
import { help, optionsOf, WrongOption } from './options.js'
import { findingText, markdownOf } from './report.js'
import { ChaosRun } from './run.js'

// Whatever still waits for an answer of a server that is gone shall not hold the end up.
process.exit(await main(process.argv.slice(2)))

/** The exit code: 0 nothing was found, 1 something was, 2 wrong options. */
async function main(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof optionsOf>
  try {
    options = optionsOf(args)
  } catch (error) {
    if (!(error instanceof WrongOption)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  }
  if (options === 'help' || options === 'faults') {
    const list = () => faultNames.map((name) => `${name.padEnd(20)} ${whatDoes(name)}`).join('\n')
    process.stdout.write(`${options === 'help' ? help : list()}\n`)
    return 0
  }
  const run = new ChaosRun(options)
  const giveUp = () => void run.cleanUp().then(() => process.exit(1))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, giveUp)
  // Whoever has started this is gone.
  process.on('disconnect', giveUp)
  try {
    const results = await run.run()
    process.stdout.write(markdownOf(results))
    process.stdout.write(`Results are in ${options.folder}\n`)
    return results.ok ? 0 : 1
  } catch (error) {
    for (const finding of run.findings) process.stderr.write(`${findingText(finding)}\n`)
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.stderr.write(`Logs are in ${options.folder}\n`)
    return 1
  }
}

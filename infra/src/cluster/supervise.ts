import { resolve } from 'node:path'
import { inspectFolder, takeFolder } from './folder.js'
import { type ClusterLayout, layoutOf } from './layout.js'
import { markVariable } from './marked.js'
import { startScriptOf } from './node-process.js'
import { type ClusterOptions, parseOptions } from './options.js'
import { problemsBefore } from './requirements.js'
import { nextSteps, type Say, shownPath, tableOf } from './screen.js'
import { stagesOf } from './stages.js'
import { Supervisor } from './supervisor.js'

/**
 * The process that everything of a cluster hangs on. It reads `stop` or `kill` from its input; the end of the input
 * is the end of the process that shows it to the user, however that came, and means `stop` too.
 */
export async function supervise(process: NodeJS.Process, argv: readonly string[]): Promise<number> {
  const say = sayTo(process)
  const parsed = parseOptions(argv)
  const mark = process.env[markVariable]
  if (parsed.kind !== 'options' || mark === undefined) throw new Error('Started by cluster.mjs only')
  const orders = ordersFrom(process)
  const layout = await prepare(parsed.options, mark, say)
  if (layout === undefined) return 2
  const supervisor = new Supervisor({
    stages: stagesOf(layout, mark, say),
    mark,
    say,
    onDeath: ({ name }) => {
      const node = layout.nodes.find((known) => known.name === name)
      if (node !== undefined) say(`  To bring it back: sh ${shownPath(startScriptOf(node))}`)
    },
  })
  let killed = false
  const stopped = orders.stop.then(() => (killed ? undefined : supervisor.stop()))
  void orders.kill.then(async () => {
    killed = true
    await supervisor.kill()
    process.exit(1)
  })
  const isReady = await Promise.race([supervisor.start(), orders.stop.then(() => null)])
  if (isReady === false) {
    await supervisor.stop()
    return 1
  }
  if (isReady === true) {
    say(`\n${tableOf(supervisor.parts)}\n\n${nextSteps(layout, supervisor.parts)}\n`)
    await supervisor.watch()
  }
  await stopped
  if (killed) return 1
  say(`All has stopped. Data is in ${shownPath(layout.folder)}`)
  return 0
}

/** Undefined when something is missing or in the way: it has been said. */
async function prepare(options: ClusterOptions, mark: string, say: Say): Promise<ClusterLayout | undefined> {
  const folder = resolve(options.data)
  const layout = layoutOf(options, folder)
  const inspected = await inspectFolder(folder, options, say)
  const problems = inspected.ok ? await problemsBefore(layout) : [inspected.problem]
  for (const problem of problems) say(problem)
  if (!inspected.ok || problems.length > 0) return undefined
  await takeFolder(folder, options, mark)
  say(
    `${inspected.before === null ? 'Starting a new cluster' : 'Going on with the cluster'} in ${shownPath(folder)}`,
  )
  return layout
}

/** Who reads may be gone. */
function sayTo({ stdout }: NodeJS.Process): Say {
  stdout.on('error', () => {})
  return (text) => void stdout.write(`${text}\n`)
}

function ordersFrom(process: NodeJS.Process) {
  let stopNow: () => void = () => {}
  let killNow: () => void = () => {}
  const stop = new Promise<void>((resolve) => {
    stopNow = resolve
  })
  const kill = new Promise<void>((resolve) => {
    killNow = resolve
  })
  process.stdin.on('data', (chunk) => {
    const words = chunk.toString().split('\n')
    if (words.includes('stop')) stopNow()
    if (words.includes('kill')) killNow()
  })
  process.stdin.on('end', () => stopNow())
  process.stdin.on('error', () => stopNow())
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopNow())
  return { stop, kill }
}

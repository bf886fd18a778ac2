// What every scenario does beside its work: it ends what it has started however it comes to its end, and shows how far
// it is.

import { parseArgs } from 'node:util'
import { remove, temporaryFolder } from './world.mjs'

/**
 * Runs `work` with a folder of its own, and `undo(step)`: steps are taken when it ends, fails, or is interrupted, the
 * last one first. What it answers is the exit code; nothing: 0.
 */
export async function scenario(work) {
  const steps = []
  let ending
  const end = () => {
    ending ??= (async () => {
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        await step().catch((error) => console.error(error))
      }
    })()
    return ending
  }
  let isInterrupted = false
  const interrupt = () => {
    if (isInterrupted) process.exit(130)
    isInterrupted = true
    process.stderr.write('\nEnding what was started. Once more to leave at once.\n')
    void end().finally(() => process.exit(130))
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, interrupt)
  const folder = temporaryFolder()
  steps.push(async () => remove(folder))
  const undo = (step) => {
    steps.push(step)
    // Too late for the others: it is over already.
    if (ending !== undefined)
      void steps
        .pop()()
        .catch(() => {})
  }
  try {
    process.exitCode = (await work({ folder, undo })) ?? 0
  } catch (error) {
    if (!isInterrupted) console.error(error)
    process.exitCode = 1
  }
  await end()
  if (isInterrupted) await new Promise(() => {})
  process.exit()
}

/**
 * Flags with numbers or words, by their defaults: `{ kills: 5, role: 'all' }` takes `--kills 7`. `first` is the name of
 * the flag that may stand without it.
 */
export function optionsOf(defaults, first) {
  const options = Object.fromEntries(
    Object.keys(defaults).map((name) => [
      name,
      { type: typeof defaults[name] === 'boolean' ? 'boolean' : 'string' },
    ]),
  )
  const { values, positionals } = parseArgs({ options, allowPositionals: first !== undefined })
  if (first !== undefined && positionals[0] !== undefined) values[first] = positionals[0]
  return Object.fromEntries(
    Object.entries(defaults).map(([name, standard]) => {
      const given = values[name]
      if (typeof standard !== 'number' || given === undefined) return [name, given ?? standard]
      if (!Number.isFinite(Number(given))) throw new Error(`--${name} must be a number, not ${given}`)
      return [name, Number(given)]
    }),
  )
}

/** One line that moves; where nobody watches, a line for each tenth. Full, it is wiped out. */
export function bar(what, total) {
  const began = performance.now()
  let told = -1
  return (done) => {
    const part = total === 0 ? 1 : Math.min(1, done / total)
    const seconds = Math.round((performance.now() - began) / 1_000)
    if (process.stderr.isTTY) {
      const filled = Math.round(part * 20)
      const text = `${what} ${'#'.repeat(filled)}${'.'.repeat(20 - filled)} ${done} of ${total}, ${seconds} s`
      process.stderr.write(`\r\x1b[K${part === 1 ? '' : text}`)
      return
    }
    const tenth = Math.floor(part * 10)
    if (tenth <= told) return
    told = tenth
    process.stderr.write(`${what}: ${done} of ${total}, ${seconds} s\n`)
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits with a word on how long. */
export async function waitUntil(instant, what) {
  const total = Math.max(0, Math.ceil((instant - Date.now()) / 1_000))
  const show = bar(what, total)
  for (let left = instant - Date.now(); left > 0; left = instant - Date.now()) {
    show(total - Math.ceil(left / 1_000))
    await sleep(Math.min(left, 1_000))
  }
  show(total)
}

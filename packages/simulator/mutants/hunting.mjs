import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const here = (file) => fileURLToPath(new URL(file, import.meta.url))

/**
 * Runs the seeds `from` to `from + count - 1` with the mutant planted, in a process of its own, until one fails.
 * Answers `{ seed, rule, message }`, or null when it was not caught.
 */
export function hunt(name, { from = 1, count = 200 } = {}) {
  return new Promise((resolve, reject) => {
    const args = ['--import', here('./plant.mjs'), here('./hunt.mjs'), `${from}`, `${count}`]
    const child = spawn(process.execPath, args, { env: { ...process.env, ALMANAC_MUTANT: name } })
    let out = ''
    let err = ''
    child.stdout.on('data', (data) => {
      out += data
    })
    child.stderr.on('data', (data) => {
      err += data
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(out.trim().split('\n').at(-1)))
      else reject(new Error(`mutant "${name}" did not run: ${err.slice(-2_000)}`))
    })
  })
}

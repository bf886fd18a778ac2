// Where a node's processor time goes, of a profile that `node --cpu-prof` has written.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** For a node whose profile is wanted; samples every half millisecond. */
export const profiled = (folder) => ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500']

export const monotonicUs = () => Number(process.hrtime.bigint() / 1_000n)

/**
 * Self time of the main thread between two moments (`monotonicUs`, which is the profiler's clock too), by function, in
 * microseconds; the most first.
 */
export function selfTimes(folder, from, to) {
  const [file] = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))
  const { nodes, samples, timeDeltas, startTime } = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const sums = new Map()
  let at = startTime
  for (const [index, id] of samples.entries()) {
    at += timeDeltas[index]
    if (at < from || at > to) continue
    const name = names.get(id)
    sums.set(name, (sums.get(name) ?? 0) + timeDeltas[index])
  }
  return [...sums].map(([name, us]) => ({ name, us })).sort((a, b) => b.us - a.us)
}

function nameOf({ functionName, url, lineNumber }) {
  const place = url.replace(/^.*\/(?=(packages|services|node_modules)\/)/, '')
  const name = functionName === '' ? '(anonymous)' : functionName
  return place === '' ? name : `${name} ${place}:${lineNumber + 1}`
}

import { readdirSync, readFileSync } from 'node:fs'

/**
 * Every process of a cluster carries this variable, with a text that no other cluster has: children get it from their
 * parent. So whatever is left of a cluster can be found, also by a process that has started none of it, and a process
 * id that was given anew to somebody else is never taken for one of ours.
 */
export const markVariable = 'ALMANAC_LOCAL_CLUSTER'

/** Set for what a user has started by a script of the cluster's. */
export const byHandVariable = 'ALMANAC_LOCAL_CLUSTER_BY_HAND'

/** The processes of this user that carry the mark, other than this one. Needs /proc: none are found without it. */
export const markedProcesses = (mark: string): readonly number[] =>
  allProcesses().filter((pid) => pid !== process.pid && hasMark(pid, mark))

const startedByHand = (mark: string): readonly number[] =>
  markedProcesses(mark).filter((pid) => environmentOf(pid).includes(`${byHandVariable}=1`))

export const hasMark = (pid: number, mark: string): boolean =>
  environmentOf(pid).includes(`${markVariable}=${mark}`)

/** Ends what carries the mark at once. Tells how many there were. */
export async function killMarked(mark: string): Promise<number> {
  const found = markedProcesses(mark)
  // What is killed may just have started another: look until nothing is left.
  let left = found
  for (let round = 0; left.length > 0 && round < mostRounds; round++) {
    for (const pid of left) signal(pid, 'SIGKILL')
    await pause(20)
    left = markedProcesses(mark)
  }
  return found.length
}
/** One that hangs in the kernel does not end by a signal: it is not waited for. */
const mostRounds = 250

/** Asks what was started by hand to end, and waits for it. */
export async function stopByHand(mark: string, patienceMs: number): Promise<void> {
  for (const pid of startedByHand(mark)) signal(pid, 'SIGTERM')
  const until = performance.now() + patienceMs
  while (performance.now() < until && startedByHand(mark).length > 0) await pause(50)
}

/** One that is already gone is fine. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {}
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function allProcesses(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

/** Of a process that has ended, or that belongs to somebody else: empty. */
function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return []
  }
}

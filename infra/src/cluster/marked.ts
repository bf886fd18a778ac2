import { readdirSync, readFileSync } from 'node:fs'

/**
 * Every process of a cluster carries this variable, with a text that no other cluster has: children get it from their
 * parent. So whatever is left of a cluster can be found, also by a process that has started none of it, and a process
 * id that was given anew to somebody else is never taken for one of ours.
 */
export const markVariable = 'ALMANAC_LOCAL_CLUSTER'

/** The processes of this user that carry the mark, other than this one. Needs /proc: none are found without it. */
export function markedProcesses(mark: string, except: readonly number[] = []): readonly number[] {
  const wanted = `${markVariable}=${mark}`
  return allProcesses().filter(
    (pid) => pid !== process.pid && !except.includes(pid) && environmentOf(pid).includes(wanted),
  )
}

export const hasMark = (pid: number, mark: string): boolean =>
  environmentOf(pid).includes(`${markVariable}=${mark}`)

/** Ends what carries the mark: asks, and after `patienceMs` does not ask any more. Tells how many there were. */
export async function endMarked(mark: string, patienceMs: number, except: readonly number[] = []) {
  const found = markedProcesses(mark, except)
  if (patienceMs > 0) for (const pid of found) signal(pid, 'SIGTERM')
  const until = performance.now() + patienceMs
  while (performance.now() < until && markedProcesses(mark, except).length > 0) await pause(50)
  // What is killed may just have started another: look until nothing is left.
  for (let round = 0; round < 100; round++) {
    const left = markedProcesses(mark, except)
    if (left.length === 0) break
    for (const pid of left) signal(pid, 'SIGKILL')
    await pause(20)
  }
  return found.length
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

import { type ChildProcess, spawn } from 'node:child_process'

/**
 * A shell that waits for the end of its input, which is the end of this process however it comes, and then kills the
 * child. It is a session of its own, so that an interrupt from the keyboard does not end it first.
 */
export function guardOver(child: ChildProcess): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$1"', 'guard', `${child.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  return guard
}

/** Last opened, first closed. A step that fails does not keep the others from closing; the first fault is thrown. */
export async function unwind(undo: readonly (() => Promise<unknown>)[]): Promise<void> {
  const faults: unknown[] = []
  for (const step of [...undo].reverse()) await step().catch((fault: unknown) => faults.push(fault))
  if (faults.length > 0) throw faults[0]
}

export const once = (work: () => Promise<void>): (() => Promise<void>) => {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}

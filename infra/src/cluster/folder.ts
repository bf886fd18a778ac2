import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { webhookKeyName } from './layout.js'
import { hasMark, killMarked } from './marked.js'
import type { ClusterOptions } from './options.js'
import { shownPath } from './screen.js'

/** What a start leaves in the folder for the next one. */
interface Kept {
  readonly format: 1
  /** Carried by every process of the last start. */
  readonly mark: string
  /** The process that has started them. */
  readonly supervisor: number
  /** What the data was made with. */
  readonly eventLog: string
  readonly partitions: number
}

export type Inspected =
  /** `before`: what the last start left; null: nothing is there, or it is to be deleted. */
  { readonly ok: true; readonly before: Kept | null } | { readonly ok: false; readonly problem: string }

const fileName = 'cluster.json'

/** Whether the folder can be taken for one cluster. Ends what an earlier one that was killed may have left. */
export async function inspectFolder(
  folder: string,
  options: ClusterOptions,
  say: (text: string) => void,
): Promise<Inspected> {
  const shown = shownPath(folder)
  const kept = await readKept(join(folder, fileName))
  if (kept === null && existsSync(folder) && readdirSync(folder).length > 0)
    return refused(`${shown} holds other things. Name another folder with --data.`)
  if (kept !== null && hasMark(kept.supervisor, kept.mark))
    return refused(
      `A cluster already runs in ${shown} (pid ${kept.supervisor}). Stop it in its terminal with Ctrl-C, or with ` +
        `\`kill ${kept.supervisor}\`; or name another folder with --data, and other ports with --port.`,
    )
  if (kept !== null) {
    const left = await killMarked(kept.mark)
    if (left > 0) say(`Ended ${left} processes that the last start had left here.`)
  }
  const before = options.fresh ? null : kept
  const change = before === null ? undefined : changeOf(before, options)
  if (change === undefined) return { ok: true, before }
  return refused(`${shown} was made with ${change}. Start it so again, or begin anew with --fresh.`)
}

/** Makes the folder this cluster's own. */
export async function takeFolder(folder: string, options: ClusterOptions, mark: string): Promise<void> {
  if (options.fresh) await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  // Wherever a user puts it: it is no part of a repository.
  await writeFile(join(folder, '.gitignore'), '*\n')
  const { eventLog, partitions } = options
  const now: Kept = { format: 1, mark, supervisor: process.pid, eventLog, partitions }
  await writeFile(join(folder, fileName), `${JSON.stringify(now, null, 2)}\n`)
  // Kept over starts: receivers of webhooks check messages with secrets that are made with it.
  const key = join(folder, webhookKeyName)
  if (!existsSync(key)) await writeFile(key, `${randomUUID()}${randomUUID()}\n`, { mode: 0o600 })
}

const refused = (problem: string): Inspected => ({ ok: false, problem })

async function readKept(file: string): Promise<Kept | null> {
  if (!existsSync(file)) return null
  const kept: Kept = JSON.parse(await readFile(file, 'utf8'))
  return kept.format === 1 ? kept : null
}

function changeOf(kept: Kept, options: ClusterOptions): string | undefined {
  if (kept.eventLog !== options.eventLog) return `--event-log ${kept.eventLog}`
  return kept.partitions === options.partitions ? undefined : `--partitions ${kept.partitions}`
}

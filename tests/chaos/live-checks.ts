import type { NodeHost } from './node-host.js'
import type { Finding } from './report.js'
import { namespaces } from './workload.js'

/** The calm has lasted: everything has come right without hands, in every node. */
export async function checkCalm(hosts: readonly NodeHost[]): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const found = (rule: string, message: string) => findings.push({ rule, message, at: Date.now() })
  for (const { name, url } of hosts) {
    try {
      const ready = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(patienceMs) })
      if (!ready.ok) found('not-ready', `${name}: ${await ready.text()}`)
      const { partitions } = await read<ClusterStatus>(`${url}/v1/cluster`)
      const free = partitions.filter(({ owner }) => owner === null).map(({ partition }) => partition)
      if (free.length > 0) found('not-owned', `${name} knows no owner of partition ${free.join(', ')}`)
    } catch (fault) {
      found('not-ready', `${name}: ${fault instanceof Error ? fault.message : String(fault)}`)
    }
  }
  if (findings.length === 0) for (const message of await differences(hosts)) found('views-differ', message)
  return findings
}

interface ClusterStatus {
  readonly partitions: readonly { readonly partition: number; readonly owner: string | null }[]
}

interface TaskPage {
  readonly items: readonly { readonly id: string; readonly revision: number }[]
  readonly nextCursor: string | null
}

/** What two nodes show differently. One may be a moment behind: only what stays different counts. */
async function differences(hosts: readonly NodeHost[]): Promise<readonly string[]> {
  let found: readonly string[] = []
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const views = await Promise.all(hosts.map(async ({ name, url }) => ({ name, tasks: await tasksOf(url) })))
    const [first, ...others] = views
    if (first === undefined) return []
    found = others.flatMap(({ name, tasks }) => {
      const ids = new Set([...first.tasks.keys(), ...tasks.keys()])
      const different = [...ids].filter((id) => first.tasks.get(id) !== tasks.get(id))
      const [id = ''] = different
      const shown = `${first.name} has revision ${first.tasks.get(id)} of task ${id}, ${name} ${tasks.get(id)}`
      return different.length === 0 ? [] : [`${different.length} tasks: ${shown}`]
    })
    if (found.length === 0) return []
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
  return found
}

/** The revision of every task, by id. */
async function tasksOf(url: string): Promise<ReadonlyMap<string, number>> {
  const tasks = new Map<string, number>()
  for (const namespace of namespaces) {
    let cursor: string | null = ''
    while (cursor !== null) {
      const from: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const page: TaskPage = await read<TaskPage>(`${url}/v1/namespaces/${namespace}/tasks?limit=200${from}`)
      for (const { id, revision } of page.items) tasks.set(id, revision)
      cursor = page.nextCursor
    }
  }
  return tasks
}

async function read<T>(url: string): Promise<T> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) })
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as T
}

const patienceMs = 5_000
const attempts = 10

import type { NodeHost } from './node-host.js'
import type { Finding } from './report.js'

interface ClusterStatus {
  readonly partitions: readonly { readonly partition: number; readonly owner: string | null }[]
}

/** The calm has lasted: everything has come right without hands, in every node. */
export async function checkCalm(hosts: readonly NodeHost[], cluster: string): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const found = (rule: string, message: string) => findings.push({ rule, message, at: Date.now() })
  for (const { name, url } of hosts) {
    try {
      const ready = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) })
      if (!ready.ok) found('not-ready', `${name}: ${await ready.text()}`)
      const answer = await fetch(`${url}/v1/cluster`, { signal: AbortSignal.timeout(5_000) })
      const { partitions } = (await answer.json()) as ClusterStatus
      const free = partitions.filter(({ owner }) => owner === null).map(({ partition }) => partition)
      if (free.length > 0)
        found('not-owned', `${name} knows no owner of partition ${free.join(', ')} of ${cluster}`)
    } catch (fault) {
      found('not-ready', `${name}: ${fault instanceof Error ? fault.message : String(fault)}`)
    }
  }
  return findings
}

import { performance } from 'node:perf_hooks'
import type { Observe } from '@almanac/engine'

/** What the process uses of the machine. */
export function observeProcess(observe: Observe): void {
  const { user, system } = process.cpuUsage()
  observe('process_cpu_seconds_total', (user + system) / 1e6)
  observe('event_loop_busy_seconds_total', performance.eventLoopUtilization().active / 1_000)
  const { rss, heapUsed } = process.memoryUsage()
  observe('process_memory_bytes', rss, { kind: 'resident' })
  observe('process_memory_bytes', heapUsed, { kind: 'heap' })
}

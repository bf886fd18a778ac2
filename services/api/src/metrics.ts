import type { NodeStatus } from '@almanac/engine'
import type { Api } from './host.js'

interface RouteCount {
  readonly method: string
  readonly route: string
  readonly status: number
  requests: number
  seconds: number
}

/** Answered requests by method, route pattern and status: the patterns are ours, so there are not many. */
export class HttpCounters {
  private readonly byRoute = new Map<string, RouteCount>()

  constructor(api: Api) {
    api.addHook('onResponse', (request, reply, done) => {
      this.add(
        request.method,
        request.routeOptions.url ?? 'none',
        reply.statusCode,
        reply.elapsedTime / 1_000,
      )
      done()
    })
  }

  private add(method: string, route: string, status: number, seconds: number): void {
    const key = `${method} ${route} ${status}`
    const count = this.byRoute.get(key) ?? { method, route, status, requests: 0, seconds: 0 }
    count.requests++
    count.seconds += seconds
    this.byRoute.set(key, count)
  }

  counts(): readonly Readonly<RouteCount>[] {
    return [...this.byRoute.values()]
  }
}

const escaped = (label: string): string =>
  label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

class Page {
  private readonly lines: string[] = []

  metric(name: string, type: 'counter' | 'gauge', help: string): (value: number, labels?: object) => void {
    this.lines.push(`# HELP almanac_${name} ${help}`, `# TYPE almanac_${name} ${type}`)
    return (value, labels = {}) => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(String(text))}"`)
      this.lines.push(`almanac_${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`)
    }
  }

  toString(): string {
    return `${this.lines.join('\n')}\n`
  }
}

/** The node in the Prometheus text format, version 0.0.4. Instants are seconds since 1970. */
export function metricsText(status: NodeStatus, http: HttpCounters): string {
  const page = new Page()
  page.metric('ready', 'gauge', '1 when the node can be worked with.')(status.ready ? 1 : 0)
  page.metric('started_at_seconds', 'gauge', 'When the process started.')(status.startedAt / 1_000)
  page.metric('log_head_position', 'gauge', 'Newest position of the event log.')(status.head)
  page.metric('view_position', 'gauge', 'Position that the read models have.')(status.viewPosition)
  const tasks = page.metric('tasks', 'gauge', 'Tasks by state.')
  for (const [state, count] of Object.entries(status.tasks)) tasks(count, { state })
  const runs = page.metric('runs', 'gauge', 'Runs that are kept, by status.')
  for (const [state, count] of Object.entries(status.runs)) runs(count, { status: state })
  for (const [name, value] of Object.entries(status.counters)) {
    const type = name.endsWith('_total') || name.endsWith('_sum') ? 'counter' : 'gauge'
    page.metric(name, type, 'Counted since the process started.')(value)
  }
  const owned = page.metric('partitions_owned', 'gauge', 'Partitions that this node owns.')
  owned(status.partitions.filter(({ owner }) => owner === status.nodeId).length)
  const behind = page.metric(
    'partition_behind_seconds',
    'gauge',
    'How long the next due dispatch is overdue.',
  )
  for (const { partition, nextDueAt } of status.partitions) {
    const overdue = nextDueAt === null ? 0 : Math.max(0, status.now - nextDueAt) / 1_000
    behind(overdue, { partition })
  }
  const requests = page.metric('http_requests_total', 'counter', 'Answered requests.')
  const counts = http.counts()
  for (const { method, route, status: code, requests: n } of counts)
    requests(n, { method, route, status: code })
  const seconds = page.metric('http_request_seconds_total', 'counter', 'Time spent on them.')
  for (const { method, route, status: code, seconds: s } of counts)
    seconds(s, { method, route, status: code })
  return page.toString()
}

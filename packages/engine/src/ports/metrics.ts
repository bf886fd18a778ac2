/** What a metric is made of. Names are without the prefix `almanac_`; labels have few values, never a user's words. */
interface Metric {
  /**
   * `counter` and `histogram` are told as things happen; `total` (a counter that somebody else keeps) and `gauge` are
   * asked for when they are read.
   */
  readonly kind: 'counter' | 'histogram' | 'total' | 'gauge'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[]
}

const quick = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const slow = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60, 120, 300]

/** Bounds where the objectives are: 2 s and 30 s. */
const late = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3_600]

const counter = <const L extends readonly string[]>(help: string, labels: L) =>
  ({ kind: 'counter', help, labels }) as const
const total = <const L extends readonly string[]>(help: string, labels: L) =>
  ({ kind: 'total', help, labels }) as const
const gauge = <const L extends readonly string[]>(help: string, labels: L) =>
  ({ kind: 'gauge', help, labels }) as const
const histogram = <const L extends readonly string[]>(help: string, buckets: readonly number[], labels: L) =>
  ({ kind: 'histogram', help, buckets, labels }) as const

/** Every metric that there is; `docs/reference/metrics.md` is held against it. */
export const metricCatalogue = {
  // What was decided.
  lateness_seconds: histogram('From the dispatch instant of a scheduled run to its commit.', late, []),
  occurrences_total: counter('Occurrences decided: emitted, or why not.', ['outcome']),
  missed_total: counter('Occurrences that should have run and will not.', ['reason']),
  ticks_total: total('Ticks committed.', []),
  runs_emitted_total: total('Runs committed.', []),
  skips_total: total('Skipped stretches committed.', []),
  lateness_ms_sum: gauge('Lateness of all scheduled runs since the start; see lateness_seconds.', []),
  lateness_ms_max: gauge('The worst lateness since the start.', []),

  // How a tick went.
  tick_seconds: histogram('From the begin of a tick that decided something to its end.', quick, ['outcome']),
  barrier_wait_seconds: histogram('Wait until all acknowledged events were applied.', quick, []),
  commit_seconds: histogram('Commits of ticks to the dispatch log.', quick, ['outcome']),
  fenced_total: total('Partitions lost to a later claimant.', []),
  commit_unknown_total: total('Commits whose outcome was not known.', []),

  // Who owns what.
  claim_seconds: histogram('Claims of partitions.', slow, ['outcome']),
  takeover_seconds: histogram('From the begin of a claim until the partition is decided again.', slow, []),
  takeovers_total: total('Partitions taken over.', []),
  partitions_owned: gauge('Partitions that this node owns.', []),
  partition_behind_seconds: gauge('How long the next due dispatch of an owned partition is overdue.', [
    'partition',
  ]),
  checkpoint_age_seconds: gauge('Age of the newest checkpoint that this node has seen.', ['partition']),
  leases_held: gauge('Leases of partitions that this node holds.', []),
  lease_renew_seconds: histogram('Requests for a lease.', quick, ['outcome']),
  membership_renew_seconds: histogram('Renewals of the membership.', quick, ['outcome']),

  // The event log and what is made of it.
  append_seconds: histogram('Appends to the event log.', quick, ['outcome']),
  events_appended_total: counter('Events appended by this node.', []),
  projection_lag_seconds: histogram('From the time of an event to its being in the read models.', quick, []),
  log_head_position: gauge('Newest position of the event log that this node knows.', []),
  view_position: gauge('Position that the read models have.', []),
  config_lag_positions: gauge('Positions that the read models are behind.', []),

  // What the topics tell of runs.
  ledger_behind_seconds: gauge('Age of what the node has read of runs; 0: all that there is.', []),
  ledger_passed_over_total: total('Records of the topics that were passed over, by why.', ['reason']),

  // Time.
  clock_offset_seconds: gauge('This machine less the source; 0: within what the source allows.', ['source']),
  clock_ahead_ms: gauge('How far the time that is used is ahead of the wall clock.', []),

  // The node.
  node_info: gauge('1, with what tells the node apart.', ['node', 'cluster', 'region', 'version']),
  ready: gauge('1 when the node can be worked with.', []),
  started_at_seconds: gauge('When the process started; seconds since 1970.', []),
  tasks: gauge('Tasks by state.', ['state']),
  runs: gauge('Runs that are kept, by status.', ['status']),
  chores_waiting: gauge('Changes that ticks have asked for and that are not done yet.', []),
  chores_failed_total: total('Such changes that have failed.', []),
  process_cpu_seconds_total: total('CPU time of the process.', []),
  process_memory_bytes: gauge('Memory of the process.', ['kind']),
  event_loop_busy_seconds_total: total('Time in which the event loop did not wait.', []),
  telemetry_exports_total: counter('Batches sent to the collector.', ['signal', 'outcome']),

  // HTTP.
  http_requests_total: counter('Answered requests.', ['method', 'route', 'status']),
  http_request_seconds_total: counter('Time spent on them.', ['method', 'route', 'status']),
  http_duration_seconds: histogram(
    'Answered requests; long waits and streams are kinds of their own.',
    quick,
    ['kind'],
  ),
} as const satisfies { readonly [name: string]: Metric }

type Catalogue = typeof metricCatalogue
type NamesOf<K extends Metric['kind']> = {
  [N in keyof Catalogue]: Catalogue[N]['kind'] extends K ? N : never
}[keyof Catalogue]

export type MetricName = keyof Catalogue
export type CounterName = NamesOf<'counter'>
export type HistogramName = NamesOf<'histogram'>
export type ObservedName = NamesOf<'total' | 'gauge'>
export type LabelsOf<N extends MetricName> = {
  readonly [L in Catalogue[N]['labels'][number]]: string
}

/** Tells the value of one metric when the metrics are read. */
export type Observe = <N extends ObservedName>(name: N, value: number, labels?: LabelsOf<N>) => void

import { type Compared, compared } from './paper.js'
import type { ScaleReport, Summary, UpheavalReport } from './report.js'

/** All tables of a page in Markdown, for clusters in the order given. */
export function tablesOf(reports: readonly ScaleReport[]): string {
  return [
    section('Spread and emission', spread(reports)),
    section('At rest: on paper / counted, a second', comparison(reports)),
    section('At rest: requests a second', requests(reports)),
    section('One instant for many, and changes', instants(reports)),
    ...upheavalTitles.map(([what, title]) => section(title, upheavals(reports, what))),
    verdict(reports),
  ].join('\n\n')
}

const upheavalTitles: readonly (readonly [UpheavalReport['what'], string])[] = [
  ['join', 'A node joins'],
  ['leave', 'A node is asked to end'],
  ['kill', 'A node is killed'],
  ['kill a third', 'A third of the nodes is killed at once'],
  ['rolling restart', 'All nodes are restarted, a quarter at a time'],
]

const section = (title: string, table: string): string => `### ${title}\n\n${table}`

type Column<T> = readonly [title: string, cell: (row: T) => string]

function tableOf<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(([title]) => title)),
    `|${columns.map(() => '---:|').join('')}`,
    ...rows.map((row) => line(columns.map(([, cell]) => cell(row)))),
  ].join('\n')
}

const size: readonly Column<ScaleReport>[] = [
  ['nodes', ({ setting }) => `${setting.nodes}`],
  ['partitions', ({ setting }) => `${setting.partitions}`],
]

const spread = (reports: readonly ScaleReport[]): string =>
  tableOf(reports, [
    ...size,
    ['partitions a node: ideal', ({ shares }) => number(shares.mean)],
    ['least', ({ shares }) => number(shares.min)],
    ['most', ({ shares }) => number(shares.max)],
    ['runs a second', ({ rest }) => number(rest.emission.runs / rest.seconds)],
    ['of the node with least', ({ rest }) => number(rest.runsPerNode.min)],
    ['with most', ({ rest }) => number(rest.runsPerNode.max)],
    ['ticks a second', ({ rest }) => number(rest.emission.commits / rest.seconds)],
    ['records a commit', ({ rest: { emission } }) => number(1 + emission.runs / emission.commits)],
    ['late, ms', ({ rest }) => milliseconds(rest.emission.latenessMs)],
  ])

const comparedTitles: Record<Compared, string> = {
  renew: 'renewals',
  acquire: 'leases',
  members: 'members told',
  AddPartitionsToTxn: 'AddPartitionsToTxn',
  Produce: 'Produce',
  EndTxn: 'EndTxn',
  tailRecords: 'checkpoints read',
  head: 'heads read',
  append: 'notes',
}

const comparison = (reports: readonly ScaleReport[]): string =>
  tableOf(reports, [
    ...size,
    ...compared.map(
      (what): Column<ScaleReport> => [
        comparedTitles[what],
        ({ rest }) => `${number(rest.paper[what])} / ${number(rest.counted[what])}`,
      ],
    ),
  ])

const requests = (reports: readonly ScaleReport[]): string =>
  tableOf(reports, [
    ...size,
    ['lease store', ({ rest }) => number(rest.requests.leases)],
    ['event log', ({ rest }) => number(rest.requests.log)],
    ['Kafka', ({ rest }) => number(rest.requests.kafka)],
    ['of which fetches of checkpoints', ({ rest }) => number(rest.tail)],
    ['all, of one node', (report) => number(allRequests(report) / report.setting.nodes)],
    ['members told, kB', ({ rest }) => number(rest.memberBytes / 1_000)],
    ['checkpoints read, kB', ({ rest }) => number(rest.tailBytes / 1_000)],
  ])

const allRequests = ({ rest: { requests } }: ScaleReport): number =>
  requests.leases + requests.log + requests.kafka

const instants = (reports: readonly ScaleReport[]): string =>
  tableOf(reports, [
    ...size,
    ['runs at once', ({ mass }) => `${mass.runs}`],
    ['commits', ({ mass }) => `${mass.commits}`],
    ['runs a commit', ({ mass }) => number(mass.runs / mass.commits)],
    ['late, ms', ({ mass }) => milliseconds(mass.latenessMs)],
    ['a change is in effect after, ms', ({ effectMs }) => milliseconds(effectMs)],
  ])

function upheavals(reports: readonly ScaleReport[], what: UpheavalReport['what']): string {
  const rows = reports.flatMap(({ setting, upheavals }) => {
    const upheaval = upheavals.find((each) => each.what === what)
    return upheaval === undefined ? [] : [{ setting, upheaval }]
  })
  return tableOf(rows, [
    ['nodes', ({ upheaval }) => nodesOf(upheaval)],
    ['partitions', ({ setting }) => `${setting.partitions}`],
    ['must move', ({ upheaval }) => `${upheaval.mustMove}`],
    ['moved', ({ upheaval }) => `${upheaval.moved}`],
    ['taken over after, s', ({ upheaval }) => seconds(upheaval.moved, upheaval.tookMs)],
    ['nobody owned it for, s', ({ upheaval }) => seconds(upheaval.moved, upheaval.ownerlessMs)],
    ['runs were late, s', ({ upheaval }) => seconds(1, upheaval.latenessMs)],
    ['requests to move', ({ upheaval }) => `${upheaval.moving}`],
    ['of which in vain', ({ upheaval }) => `${upheaval.askedInVain}`],
    ['pages of events read', ({ upheaval }) => `${upheaval.pages}`],
  ])
}

const nodesOf = ({ nodesBefore, nodesAfter }: UpheavalReport): string =>
  nodesBefore === nodesAfter ? `${nodesBefore}` : `${nodesBefore} to ${nodesAfter}`

function verdict(reports: readonly ScaleReport[]): string {
  const sum = (of: (report: ScaleReport) => number): string =>
    reports.reduce((total, report) => total + of(report), 0).toLocaleString('en')
  const runs = sum(({ counts }) => counts.runs)
  const takeovers = sum(({ counts }) => counts.takeovers)
  const violations = sum((report) => report.violations.length)
  const fenced = sum((report) => report.fenced)
  return [
    `${runs} runs and ${takeovers} takeovers were judged by the history checker: ${violations} violations.`,
    `${fenced} commits were fenced.`,
  ].join(' ')
}

/** Three digits say enough. */
const number = (value: number): string => `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))}`

const milliseconds = ({ median, max }: Summary): string => `${number(median)} (${number(max)})`

const seconds = (count: number, { median, max }: Summary): string =>
  count === 0 ? '' : `${(median / 1_000).toFixed(2)} (${(max / 1_000).toFixed(2)})`

import { readdirSync, readFileSync } from 'node:fs'
import { metricCatalogue } from '@almanac/engine'
import { describe, expect, it } from 'vitest'
import { type Expression, parsePromql } from './promql.js'

const file = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const catalogue: { readonly [name: string]: { kind: string; help: string; labels: readonly string[] } } =
  metricCatalogue
const prefix = 'almanac_'

interface Series {
  readonly kind: string
  readonly labels: readonly string[]
}

/** What Prometheus adds to each series. */
const scraped = ['job', 'instance']

/** The series that a name stands for; throws when the registry makes none of that name. */
function seriesOf(name: string): Series {
  if (name === 'up') return { kind: 'gauge', labels: scraped }
  const base = name.slice(prefix.length)
  if (name.startsWith(prefix) && Object.hasOwn(catalogue, base) && catalogue[base]?.kind !== 'histogram') {
    return { kind: catalogue[base]?.kind ?? '', labels: [...(catalogue[base]?.labels ?? []), ...scraped] }
  }
  const [, of = '', part] = /^(.*)_(bucket|sum|count)$/.exec(base) ?? []
  if (!name.startsWith(prefix) || catalogue[of]?.kind !== 'histogram') throw new Error(`no metric ${name}`)
  return {
    kind: 'histogram',
    labels: [...(catalogue[of]?.labels ?? []), ...scraped, ...(part === 'bucket' ? ['le'] : [])],
  }
}

/** The labels that the result has; throws at what can not be meant so. */
function check(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'number':
    case 'string':
      return []
    case 'binary':
      return expression.sides.flatMap(check)
    case 'selector':
      return checkSelector(expression)
    case 'call':
      return checkCall(expression)
  }
}

function checkSelector({ metric, matchers }: Expression & { kind: 'selector' }): readonly string[] {
  const { labels } = seriesOf(metric)
  for (const { label, value } of matchers) {
    if (!labels.includes(label)) throw new Error(`${metric} has no label ${label}`)
    const base = metric.replace(/^almanac_|_bucket$/g, '')
    const bounds = (catalogue[base] as { readonly buckets?: readonly number[] } | undefined)?.buckets ?? []
    if (label === 'le' && !bounds.includes(Number(value))) throw new Error(`${metric} has no bound ${value}`)
  }
  return labels
}

const onCounters = ['rate', 'increase']

function checkCall({ name, args, grouping }: Expression & { kind: 'call' }): readonly string[] {
  const labels = args.flatMap(check)
  const [first] = args
  const isRanged = [...onCounters, 'changes'].includes(name)
  for (const arg of args) {
    if (arg.kind === 'selector' && (arg.range !== undefined) !== isRanged) throw new Error(`range in ${name}`)
  }
  if (onCounters.includes(name)) {
    const kind = first?.kind === 'selector' ? seriesOf(first.metric).kind : 'none'
    if (!['counter', 'total', 'histogram'].includes(kind)) throw new Error(`${name} of what is no counter`)
  }
  if (name === 'histogram_quantile' && !labels.includes('le')) throw new Error('quantile without le')
  for (const label of grouping) if (!labels.includes(label)) throw new Error(`nothing has a label ${label}`)
  if (grouping.length > 0) return grouping
  return ['sum', 'min', 'max', 'avg', 'count'].includes(name) ? [] : labels
}

const problemOf = (text: string): string | undefined => {
  try {
    check(parsePromql(text))
    return undefined
  } catch (error) {
    return `${String(error)} in ${text}`
  }
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string }[]
}

interface Board {
  readonly uid: string
  readonly title: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] }
}

const boards = readdirSync(new URL('../infra/observability/grafana/', import.meta.url))
  .filter((name) => name.endsWith('.json'))
  .map((name) => [name, JSON.parse(file(`infra/observability/grafana/${name}`)) as Board] as const)
const expressionsOf = ({ panels }: Board) =>
  panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

interface Alert {
  readonly name: string
  readonly expr: string
  readonly text: string
}

/** The rules, as this repository writes them. */
const alerts = file('infra/observability/prometheus/alerts.yml')
  .split(/^ {6}- alert: /m)
  .slice(1)
  .map((text): Alert => {
    const [, block, line] = /^ {8}expr: (?:\|-\n((?: {10}.*\n)+)|(.*)\n)/m.exec(text) ?? []
    return { name: text.split('\n')[0] ?? '', expr: (block ?? line ?? '').trim(), text }
  })

const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
const runbooks = [...file('docs/guides/runbooks.md').matchAll(/^## (.+)$/gm)].map(([, text]) =>
  anchorOf(text ?? ''),
)

describe('the reader of expressions', () => {
  it.each([
    ['sum by (job) (rate(almanac_ticks_total[5m])) > 3', undefined],
    ['almanac_tick_total', 'no metric almanac_tick_total'],
    ['almanac_lateness_seconds', 'no metric almanac_lateness_seconds'],
    ['almanac_ready_count', 'no metric'],
    ['almanac_ready{task="x"}', 'almanac_ready has no label task'],
    ['sum by (partition) (almanac_ready)', 'nothing has a label partition'],
    ['sum by (le) (sum(almanac_lateness_seconds_bucket))', 'nothing has a label le'],
    ['rate(almanac_ready[5m])', 'rate of what is no counter'],
    ['rate(almanac_ticks_total)', 'range in rate'],
    ['abs(almanac_ready[5m])', 'range in abs'],
    ['almanac_lateness_seconds_bucket{le="3"}', 'no bound 3'],
    ['histogram_quantile(0.9, sum(almanac_lateness_seconds_bucket))', 'quantile without le'],
    ['sum(almanac_ready', ') was expected'.slice(2)],
    ['almanac_ready almanac_ready', 'nothing was expected'],
    ['sums(almanac_ready)', 'is no function'],
  ])('%s', (text, problem) => {
    const found = problemOf(text)
    if (problem === undefined) expect(found).toBeUndefined()
    else expect(found).toContain(problem)
  })
})

describe.each(boards)('the board %s', (_, board) => {
  it('asks only for what there is', () => {
    expect(expressionsOf(board).flatMap((text) => problemOf(text) ?? [])).toEqual([])
    expect(expressionsOf(board).length).toBeGreaterThan(10)
  })

  it('offers values of labels that there are', () => {
    for (const { definition } of board.templating.list) {
      const [, vector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? []
      expect(check(parsePromql(vector))).toContain(label)
    }
  })

  it('uses the variables that it has, and no other', () => {
    const used = JSON.stringify(board.panels)
      .match(/\$\w+/g)
      ?.filter((name) => !name.startsWith('$__'))
    expect([...new Set(used)].sort()).toEqual(board.templating.list.map(({ name }) => `$${name}`).sort())
  })

  it('has each panel once, and none over another one', () => {
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length)
    const taken = new Map<string, string>()
    for (const { title, gridPos } of board.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x},${y}`), title).toBeUndefined()
          taken.set(`${x},${y}`, title)
        }
      }
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
    }
  })
})

describe('the boards together', () => {
  it('have a name each', () => {
    expect(new Set(boards.map(([, { uid }]) => uid)).size).toBe(boards.length)
    expect(boards.map(([name]) => name)).toEqual(['cluster.json', 'dispatch.json', 'fleet.json', 'node.json'])
  })

  it('and the alerts show every metric', () => {
    const shown = [...boards.flatMap(([, board]) => expressionsOf(board)), ...alerts.map(({ expr }) => expr)]
    const text = shown.join('\n')
    const isShown = (name: string) => new RegExp(`almanac_${name}(_bucket|_sum|_count)?\\b`).test(text)
    const rest = Object.keys(catalogue).filter((name) => !isShown(name))
    // Its sum tells no more than its histogram.
    expect(rest).toEqual(['lateness_ms_sum'])
  })
})

describe('the alerts', () => {
  it('are read', () => {
    expect(alerts.length).toBe(26)
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length)
  })

  it.each(alerts)('$name asks only for what there is, and names its runbook', ({ expr, text }) => {
    expect(problemOf(expr)).toBeUndefined()
    expect(text).toMatch(/labels: \{ severity: (page|ticket) \}/)
    const [, anchor] = /runbook: docs\/guides\/runbooks\.md#([\w-]+)\n/.exec(text) ?? []
    expect(runbooks).toContain(anchor)
  })
})

describe('the reference of metrics', () => {
  it('has every metric as it is, and no other', () => {
    const rows = [
      ...file('docs/reference/metrics.md').matchAll(/^\| `(almanac_\w+)` \| (.*) \| (.*) \| (.*) \|$/gm),
    ]
    const types: { readonly [kind: string]: string } = { total: 'counter' }
    expect(rows.map(([, ...cells]) => cells)).toEqual(
      Object.entries(catalogue).map(([name, { kind, labels, help }]) => [
        `${prefix}${name}`,
        types[kind] ?? kind,
        labels.map((label) => `\`${label}\``).join(', '),
        help,
      ]),
    )
  })
})

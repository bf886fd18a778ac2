import type { Instant, Zone } from '@almanac/recurrence'
import { durationText } from '../duration.js'
import type { Forecast, OutageForecast } from '../forecast.js'
import type { LoadBucket } from '../load.js'
import { zonedText } from '../local-time.js'
import { nodeName } from '../settings.js'
import { escaped, number, short } from './html.js'
import { roundTicks, timeTicks } from './scale.js'

/** A colour of the stack: a queue, or one or several nodes. */
interface Series {
  readonly name: string
  readonly runs: (bucket: LoadBucket) => number
  readonly total: number
}

const width = 1_000
const height = 280
const left = 56
const right = 24
const top = 12
const bottom = 30
/** Colours in the style sheet; a ninth would be hard to tell from the others. */
const maxSeries = 8

/** Bars over time, stacked by node or queue, with the outages over them. */
export function loadChart(played: Forecast, by: 'node' | 'queue', zone: Zone): string {
  const { from, to } = played.settings
  const { buckets, bucket } = played.load
  const series = by === 'node' ? nodeSeries(played) : queueSeries(played)
  const ticks = roundTicks(Math.max(...buckets.map(({ runs }) => runs)))
  const most = ticks.at(-1) ?? 1
  const x = (at: Instant) => left + ((at - from) / (to - from)) * (width - left - right)
  const y = (runs: number) => height - bottom - (runs / most) * (height - top - bottom)
  const base = height - bottom
  const rows = ticks.map(
    (runs) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${short(y(runs))}" y2="${short(y(runs))}"/>` +
      `<text x="${left - 8}" y="${short(y(runs) + 4)}" text-anchor="end">${number(runs)}</text>`,
  )
  const columns = timeTicks(from, to, zone).map(({ at, label }) => {
    const place = short(x(at))
    return (
      `<line class="tick" x1="${place}" x2="${place}" y1="${base}" y2="${base + 4}"/>` +
      `<text x="${place}" y="${base + 18}" text-anchor="middle">${escaped(label)}</text>`
    )
  })
  const bars = buckets.map((one) => bar(one, series, x, y, zonedText(one.from, zone)))
  const bands = played.outages.map((outage) => band(outage, x, zone))
  return [
    legend(series, played.outages.length > 0),
    `<div class="scroll"><svg class="load" viewBox="0 0 ${width} ${height}" role="img" ` +
      `aria-label="Runs per ${escaped(bucket)}, stacked by ${by}">`,
    ...rows,
    ...bars,
    ...bands,
    ...columns,
    '</svg></div>',
  ].join('\n')
}

function bar(
  bucket: LoadBucket,
  series: readonly Series[],
  x: (at: Instant) => number,
  y: (runs: number) => number,
  when: string,
): string {
  if (bucket.runs === 0) return ''
  const start = x(bucket.from)
  const room = x(bucket.until) - start
  // Gaps between bars of few pixels would only shimmer.
  const wide = room < 6 ? room + 0.1 : room * 0.86
  let below = 0
  const lines: string[] = []
  const rects = series.map((one, index) => {
    const runs = one.runs(bucket)
    if (runs === 0) return ''
    lines.push(`${one.name}: ${number(runs)}`)
    const upper = y(below + runs)
    const tall = y(below) - upper
    below += runs
    const place = `x="${short(start)}" y="${short(upper)}" width="${short(wide)}" height="${short(tall)}"`
    return `<rect class="s${index}" ${place}/>`
  })
  const title = [`${when}: ${number(bucket.runs)} runs`, ...(lines.length > 1 ? lines : [])].join('\n')
  return `<g><title>${escaped(title)}</title>${rects.join('')}</g>`
}

function band({ node, from, until }: OutageForecast, x: (at: Instant) => number, zone: Zone): string {
  const start = Math.max(left, x(from))
  const end = Math.min(width - right, x(until))
  if (end < left || start > width - right) return ''
  const who = node === null ? 'all nodes' : nodeName(node)
  const title = `${who} gone from ${zonedText(from, zone)} for ${durationText(until - from)}`
  const kind = node === null ? 'blackout' : 'outage'
  return (
    `<rect class="${kind}" x="${short(start)}" y="${top}" width="${short(Math.max(2, end - start))}" ` +
    `height="${height - top - bottom}"><title>${escaped(title)}</title></rect>`
  )
}

function queueSeries({ load }: Forecast): readonly Series[] {
  return load.queues.map((name, index) => seriesOf(name, load.buckets, ({ byQueue }) => byQueue[index] ?? 0))
}

/** The busiest nodes, and all others together. */
function nodeSeries({ nodes, load }: Forecast): readonly Series[] {
  const ranked = nodes
    .map(({ name, runs }, index) => ({ name, runs, index }))
    .sort((a, b) => b.runs - a.runs || a.index - b.index)
  const single = ranked.length > maxSeries ? ranked.slice(0, maxSeries - 1) : ranked
  const rest = ranked.slice(single.length)
  return [
    ...single
      .sort((a, b) => a.index - b.index)
      .map(({ name, index }) => seriesOf(name, load.buckets, ({ byNode }) => byNode[index] ?? 0)),
    ...(rest.length === 0
      ? []
      : [
          seriesOf(`${rest.length} others`, load.buckets, ({ byNode }) =>
            rest.reduce((sum, { index }) => sum + (byNode[index] ?? 0), 0),
          ),
        ]),
  ]
}

const seriesOf = (name: string, buckets: readonly LoadBucket[], runs: Series['runs']): Series => ({
  name,
  runs,
  total: buckets.reduce((sum, bucket) => sum + runs(bucket), 0),
})

function legend(series: readonly Series[], hasOutages: boolean): string {
  const items = series.map(
    ({ name, total }, index) =>
      `<li><svg viewBox="0 0 10 10"><rect class="s${index}" width="10" height="10" rx="2"/></svg>` +
      `${escaped(name)} <small>${number(total)}</small></li>`,
  )
  const outages =
    '<li><svg viewBox="0 0 10 10"><rect class="blackout" width="10" height="10" rx="2"/></svg>outage</li>'
  return `<ul class="legend">${items.join('')}${hasOutages ? outages : ''}</ul>`
}

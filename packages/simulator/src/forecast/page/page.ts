import { type Zone, zone } from '@almanac/recurrence'
import type { LeftOut } from '../catalog.js'
import type { CheckResult } from '../checks/judge.js'
import { durationText } from '../duration.js'
import type { Forecast, NodeForecast, OutageForecast } from '../forecast.js'
import type { Peak } from '../load.js'
import { nodeName } from '../settings.js'
import { heatMap } from './heat-map.js'
import { type Cell, clockIn, escaped, figure, number, prose, table, text } from './html.js'
import { loadChart } from './load-chart.js'
import { style } from './style.js'

export interface PageOptions {
  /** What the bars are stacked by. */
  readonly by: 'node' | 'queue'
  /** Where the tasks came from. */
  readonly source: string
}

const tasksShown = 200
const outagesShown = 100

/** A forecast as one HTML file that needs nothing else: pictures of the load, checks, tables. */
export function forecastPage(played: Forecast, { by, source }: PageOptions): string {
  const at = zone(played.settings.timezone)
  if (at === undefined) throw new RangeError(`unknown time zone ${played.settings.timezone}`)
  const { load, leftOut } = played
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Almanac forecast: ${escaped(source)}</title>
<style>${style}</style>
</head>
<body>
<main>
${heading(played, source, at)}
${tiles(played)}
${played.checks.length === 0 ? '' : section('Checks', checkList(played.checks))}
${section(`Runs per ${load.bucket}, by ${by}`, loadChart(played, by, at))}
${section('Runs by weekday and hour', heatMap(load.heat, at.name))}
${section('Busiest moments', peaks(played, at))}
${section('Nodes', nodeTable(played))}
${played.outages.length === 0 ? '' : section('Outages', outageTable(played, at))}
${section('Tasks', taskTable(played, at))}
${leftOut.length === 0 ? '' : section('Left out', leftOutTable(played))}
</main>
</body>
</html>
`
}

const section = (title: string, body: string): string =>
  `<section><h2>${escaped(title)}</h2>${body}</section>`

function heading({ settings, digest }: Forecast, source: string, at: Zone): string {
  const { from, to, nodes, partitions, seed } = settings
  const clock = clockIn(at)
  return `<header>
<h1>What ${escaped(source)} would do</h1>
<p>${escaped(clock(from))} to ${escaped(clock(to))} (${escaped(at.name)}), ${nodes} ${nodes === 1 ? 'node' : 'nodes'},
${partitions} partitions, seed ${seed}, digest ${escaped(digest)}</p>
</header>`
}

function tiles({ totals, tasks, load, checks }: Forecast): string {
  const skipped = Object.values(totals.skipped).reduce((sum, count) => sum + count, 0)
  const broken = checks.filter(({ passed }) => !passed).length
  const tile = (value: string, label: string) => `<div><b>${value}</b><span>${escaped(label)}</span></div>`
  return `<div class="tiles">${[
    tile(number(totals.runs), `runs of ${number(tasks.length)} ${tasks.length === 1 ? 'task' : 'tasks'}`),
    tile(number(load.busiestSeconds[0]?.runs ?? 0), 'in the busiest second'),
    tile(number(load.busiestMinutes[0]?.runs ?? 0), 'in the busiest minute'),
    tile(number(totals.late), 'late'),
    tile(number(skipped), 'skipped'),
    ...(totals.undecided === 0 ? [] : [tile(number(totals.undecided), 'undecided at the end')]),
    ...(checks.length === 0 ? [] : [tile(`${checks.length - broken} of ${checks.length}`, 'checks hold')]),
  ].join('')}</div>`
}

function checkList(checks: readonly CheckResult[]): string {
  const items = checks.map(({ text: written, passed, violations, first }) => {
    const places = first.map(({ when, message }) => `<li>${escaped(when)}: ${escaped(message)}</li>`)
    const more = violations - first.length
    if (more > 0) places.push(`<li>and ${number(more)} more</li>`)
    const mark = passed ? '<span class="mark good">holds</span>' : '<span class="mark bad">broken</span>'
    return `<li>${mark}<code>${escaped(written)}</code>${places.length === 0 ? '' : `<ul>${places.join('')}</ul>`}</li>`
  })
  return `<ul class="checks">${items.join('')}</ul>`
}

function peaks({ load }: Forecast, at: Zone): string {
  const clock = clockIn(at)
  const of = (title: string, found: readonly Peak[]) =>
    table<Peak>([text(title, (peak) => clock(peak.at)), figure('Runs', ({ runs }) => number(runs))], found)
  return `<div class="pair">${of('Second', load.busiestSeconds)}${of('Minute', load.busiestMinutes)}</div>`
}

function nodeTable({ nodes, totals }: Forecast): string {
  return table<NodeForecast>(
    [
      text('Node', ({ name }) => name),
      figure('Partitions', ({ partitions }) => number(partitions)),
      figure('Taken later', ({ taken }) => number(taken)),
      figure('Runs', ({ runs }) => number(runs)),
      figure('Share', ({ runs }) => `${((100 * runs) / Math.max(1, totals.runs)).toFixed(1)} %`),
    ],
    nodes,
  )
}

function outageTable({ outages }: Forecast, at: Zone): string {
  const clock = clockIn(at)
  const shown = table<OutageForecast>(
    [
      text('Gone', ({ node }) => (node === null ? 'all nodes' : nodeName(node))),
      text('From', ({ from }) => clock(from)),
      figure('For', ({ from, until }) => durationText(until - from)),
      figure('Partitions lost', ({ partitions }) => number(partitions)),
      figure('Longest without owner', ({ longestWithoutOwnerMs: ms, partitions }) =>
        partitions === 0 ? '–' : ms === null ? 'to the end' : durationText(ms),
      ),
    ],
    outages.slice(0, outagesShown),
  )
  return shown + moreOf(outages.length, outagesShown)
}

function taskTable({ tasks }: Forecast, at: Zone): string {
  const clock = clockIn(at)
  const sorted = [...tasks].sort((a, b) => b.runs - a.runs || (a.name < b.name ? -1 : 1))
  const cells: readonly Cell<(typeof sorted)[number]>[] = [
    {
      title: 'Task',
      kind: 'prose',
      html: ({ name, scheduleText, broken }) =>
        `<b>${escaped(name)}</b><div class="note">${escaped(broken ?? scheduleText)}</div>`,
    },
    text('Queue', ({ queue }) => queue),
    figure('Runs', ({ runs }) => number(runs)),
    figure('Catch-ups', ({ catchUps }) => number(catchUps)),
    figure('Skipped', ({ skipped }) => number(skipped)),
    figure('Most late', ({ worstLatenessMs: ms }) => (ms === 0 ? '–' : durationText(ms))),
    figure('Longest gap', ({ longestGapMs: ms }) => (ms === 0 ? '–' : durationText(ms))),
    text('First', ({ first }) => clock(first)),
    text('Last', ({ last }) => clock(last)),
  ]
  return table(cells, sorted.slice(0, tasksShown)) + moreOf(tasks.length, tasksShown)
}

function leftOutTable({ leftOut }: Forecast): string {
  const shown = table<LeftOut>(
    [prose('Task', ({ name }) => name), prose('Why', ({ reason }) => reason)],
    leftOut.slice(0, tasksShown),
  )
  return shown + moreOf(leftOut.length, tasksShown)
}

const moreOf = (all: number, shown: number): string =>
  all <= shown ? '' : `<p class="note">${number(shown)} of ${number(all)} are shown.</p>`

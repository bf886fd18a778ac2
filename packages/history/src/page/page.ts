import { type RecordedEvent, taskStream } from '@almanac/domain'
import { seenIn } from '../seen.js'
import type { HistoryRecord, HistoryReport, RuleCount, Violation } from '../types.js'
import { clock, duration, escaped, number, table } from './html.js'
import { latenessChart, timelines } from './pictures.js'
import { style } from './style.js'

const violationsShown = 500
const tasksShown = 50
const eventsShown = 100

/** What a rule says, in words for people. */
const words: Readonly<Record<RuleCount['rule'], string>> = {
  lost: 'every occurrence and every request has an outcome',
  doubled: 'nothing has two outcomes, and no run is committed twice',
  unexpected: 'nothing runs that no schedule and no request asked for',
  early: 'no run before its time',
  late: 'no run long after its time while nothing is broken',
  'stale-definition': 'no run by a definition that was changed before',
  'out-of-order': 'runs of a task in the order of their instants',
  gap: 'checkpoints follow each other, none is missing, none goes back',
  'two-writers': 'only the last one who took a partition over writes',
  'replay-differs': 'deciding every tick once more gives the same',
  'incomplete-tick': 'a tick is there as a whole',
  'lost-command': 'what was answered with success is in the log',
  'doubled-command': 'a repeated command is applied once',
  tampered: 'the log is as it was written',
  unrecovered: 'everything comes back by itself, and nothing due is left over',
}

/**
 * A report as one HTML file that needs nothing else, for people. `records`: those that the report is of. Throws a
 * `HistoryError` as `checkHistory` does.
 */
export function historyPage(report: HistoryReport, records: Iterable<HistoryRecord>): string {
  const seen = seenIn(records)
  const { meta, violations } = report
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Almanac history: ${escaped(meta.source)}</title>
<style>${style}</style>
</head>
<body>
<main>
${heading(report)}
${tiles(report)}
${section('Rules', ruleTable(report))}
${section('Partitions', timelines(seen, violations))}
${section('Lateness', latenessChart(report.lateness))}
${violations.length === 0 ? '' : section('Violations', violationTable(violations))}
${violations.length === 0 ? '' : section('Tasks of these violations', taskEvents(violations, seen.events))}
</main>
</body>
</html>
`
}

const section = (title: string, body: string): string =>
  `<section><h2>${escaped(title)}</h2>${body}</section>`

function heading({ meta, rules }: HistoryReport): string {
  const violated = rules.reduce((sum, rule) => sum + rule.violated, 0)
  const verdict =
    violated === 0
      ? '<p class="verdict good">Nothing is wrong</p>'
      : `<p class="verdict bad">${number(violated)} ${violated === 1 ? 'violation' : 'violations'}</p>`
  return `<header>
<h1>What ${escaped(meta.source)} did</h1>
<p>Cluster ${escaped(meta.cluster)}, ${meta.partitions} partitions; early by ${duration(meta.earlyToleranceMs)}
and late by ${duration(meta.lateToleranceMs)} is allowed, and ${duration(meta.recoveryMs)} to recover.</p>
${verdict}
</header>`
}

function tiles({ counts }: HistoryReport): string {
  const tile = (value: number, label: string) => `<div><b>${number(value)}</b><span>${label}</span></div>`
  return `<div class="tiles">${[
    tile(counts.runs, 'runs'),
    tile(counts.skipped, 'skipped'),
    tile(counts.occurrences, 'occurrences accounted for'),
    tile(counts.checkpoints, 'checkpoints'),
    tile(counts.takeovers, 'takeovers'),
    tile(counts.tasks, 'tasks'),
    tile(counts.events, 'events'),
    tile(counts.answers, 'answered commands'),
  ].join('')}</div>`
}

const ruleTable = ({ rules }: HistoryReport): string =>
  table<RuleCount>(
    [
      { title: 'Rule', html: ({ rule }) => escaped(rule) },
      { title: 'Says', html: ({ rule }) => escaped(words[rule]), kind: 'prose' },
      { title: 'Checked', html: ({ checked }) => number(checked), kind: 'figure' },
      { title: 'Violated', html: ({ violated }) => number(violated), kind: 'figure' },
      { title: '', html: markOf },
    ],
    rules,
  )

function markOf({ checked, violated }: RuleCount): string {
  if (violated > 0) return '<span class="mark bad">broken</span>'
  return checked > 0 ? '<span class="mark good">holds</span>' : '<span class="mark">not seen</span>'
}

function violationTable(violations: readonly Violation[]): string {
  const more = violations.length - violationsShown
  const shown = table<Violation>(
    [
      { title: 'Rule', html: ({ rule }) => escaped(rule) },
      { title: 'When', html: ({ at }) => clock(at) },
      {
        title: 'Partition',
        html: ({ partition }) => (partition === null ? '–' : String(partition)),
        kind: 'figure',
      },
      { title: 'Task', html: ({ taskId }) => (taskId === null ? '–' : linkTo(taskId)) },
      { title: 'What', html: ({ message }) => escaped(message), kind: 'prose' },
    ],
    violations.slice(0, violationsShown),
  )
  return more > 0 ? `${shown}<p class="note">${number(more)} more are not shown.</p>` : shown
}

const linkTo = (taskId: string): string =>
  `<a href="#task-${encodeURIComponent(taskId)}">${escaped(taskId)}</a>`

/** The events of the tasks that something is wrong with. */
function taskEvents(violations: readonly Violation[], events: readonly RecordedEvent[]): string {
  const taskIds = [...new Set(violations.flatMap(({ taskId }) => taskId ?? []))]
  const shown = taskIds.slice(0, tasksShown)
  const lists = new Map<string, RecordedEvent[]>(shown.map((taskId) => [taskStream(taskId), []]))
  for (const event of events) lists.get(event.stream)?.push(event)
  const parts = shown.map((taskId) => {
    const list = lists.get(taskStream(taskId)) ?? []
    const more = list.length - eventsShown
    const note = more > 0 ? `<p class="note">${number(more)} earlier events are not shown.</p>` : ''
    const heading = `<h3 id="task-${encodeURIComponent(taskId)}">${escaped(taskId)}</h3>`
    return `${heading}${eventTable(list.slice(-eventsShown))}${note}`
  })
  const left = taskIds.length - shown.length
  if (left > 0) parts.push(`<p class="note">${number(left)} more tasks are not shown.</p>`)
  return parts.length === 0 ? '<p class="note">None of them is about one task.</p>' : parts.join('\n')
}

const eventTable = (events: readonly RecordedEvent[]): string =>
  table<RecordedEvent>(
    [
      { title: 'Position', html: ({ position }) => String(position), kind: 'figure' },
      { title: 'Revision', html: ({ revision }) => String(revision), kind: 'figure' },
      { title: 'At', html: ({ metadata }) => clock(metadata.at) },
      { title: 'Event', html: ({ type }) => escaped(type) },
      { title: 'By', html: ({ metadata }) => escaped(metadata.actor) },
      {
        title: 'Says',
        html: ({ data }) => `<code>${escaped(JSON.stringify(data).slice(0, 400))}</code>`,
        kind: 'prose',
      },
    ],
    events,
  )

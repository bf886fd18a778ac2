import { zone } from '@almanac/recurrence'
import {
  durationText,
  type Forecast,
  nodeName,
  type OutageForecast,
  type TaskForecast,
  zonedText,
} from '@almanac/simulator/forecast'
import type { Column } from '../output/table.js'
import { counted, visible } from '../output/text.js'
import { duration } from '../output/time.js'
import type { Session } from '../session.js'

const tasksShown = 20
const outagesShown = 12
const leftOutShown = 5

const number = (value: number) => value.toLocaleString('en-US')

/** Instants in the zone of the forecast. */
const clockOf = ({ settings }: Forecast) => {
  const at = zone(settings.timezone)
  return (instant: number | null) => (instant === null || at === undefined ? '-' : zonedText(instant, at))
}

/** Tells a forecast to people: figures, the load as a line of bars, tables, and what became of each check. */
export const printForecast = (session: Session, played: Forecast, elapsedMs: number): void => {
  const { bold } = session.world.out.paint
  const { settings, totals } = played
  const when = clockOf(played)
  session.text(
    bold(
      `${when(settings.from)} to ${when(settings.to)} on ${counted(settings.nodes, 'node')}, ` +
        `${counted(settings.partitions, 'partition')}, seed ${settings.seed}`,
    ),
  )
  session.line()
  printFigures(session, played, when)
  printLoad(session, played)
  printNodes(session, played)
  printTasks(session, played, when)
  printOutages(session, played, when)
  printLeftOut(session, played)
  printChecks(session, played)
  const years = (settings.to - settings.from) / (365 * 86_400_000)
  const seconds = Math.max(elapsedMs, 1) / 1000
  session.notice(
    `${number(totals.runs)} runs in ${duration(elapsedMs)}: ${number(Math.round(totals.runs / seconds))} runs/s, ` +
      `${(years / seconds).toPrecision(2)} years a second`,
  )
}

const printFigures = (session: Session, played: Forecast, when: (instant: number | null) => string) => {
  const { totals, load } = played
  const [second] = load.busiestSeconds
  const [minute] = load.busiestMinutes
  const skipped = Object.entries(totals.skipped).map(([reason, count]) => `${number(count)} ${reason}`)
  const late = totals.late === 0 ? '' : `, ${number(totals.late)} late (${number(totals.catchUps)} catch-ups)`
  session.fields([
    ['runs', `${number(totals.runs)} of ${counted(played.tasks.length, 'task')}${late}`],
    ['skipped', skipped.join(', ') || '0'],
    [
      'undecided',
      totals.undecided === 0 ? '' : `${number(totals.undecided)}: nobody owns their partition at the end`,
    ],
    ['busiest second', second ? `${number(second.runs)} at ${when(second.at)}` : '-'],
    ['busiest minute', minute ? `${number(minute.runs)} at ${when(minute.at)}` : '-'],
    ['digest', played.digest],
  ])
}

const bars = ' ▁▂▃▄▅▆▇█'

/** The load as one line of at most `width` bars. */
export const sparkline = (values: readonly number[], width: number): string => {
  const each = Math.max(1, Math.ceil(values.length / width))
  const groups = Array.from({ length: Math.ceil(values.length / each) }, (_, index) =>
    Math.max(...values.slice(index * each, (index + 1) * each)),
  )
  const most = Math.max(...groups)
  return groups.map((value) => (value === 0 ? ' ' : bars[Math.ceil((value / most) * 8)])).join('')
}

const printLoad = (session: Session, { load }: Forecast) => {
  const values = load.buckets.map(({ runs }) => runs)
  if (values.length < 2) return
  const width = Math.min(100, session.world.out.columns - 2)
  const most = Math.max(...values)
  session.line()
  session.line(session.world.out.paint.cyan(sparkline(values, width)))
  session.line(session.world.out.paint.dim(`runs per ${load.bucket}, at most ${number(most)}`))
}

const printNodes = (session: Session, { nodes, totals }: Forecast) => {
  session.line()
  session.table(
    [
      { title: 'NODE', value: ({ name }) => name },
      { title: 'PARTITIONS', value: ({ partitions }) => number(partitions), align: 'right' },
      { title: 'TAKEN LATER', value: ({ taken }) => number(taken), align: 'right' },
      { title: 'RUNS', value: ({ runs }) => number(runs), align: 'right' },
      {
        title: 'SHARE',
        value: ({ runs }) => `${((100 * runs) / Math.max(1, totals.runs)).toFixed(1)} %`,
        align: 'right',
      },
    ],
    nodes,
  )
}

const gapText = ({ longestGapMs }: TaskForecast) => (longestGapMs === 0 ? '-' : durationText(longestGapMs))
const latenessText = ({ worstLatenessMs }: TaskForecast) =>
  worstLatenessMs === 0 ? '-' : durationText(worstLatenessMs)

const printTasks = (session: Session, played: Forecast, when: (instant: number | null) => string) => {
  const { bold, red } = session.world.out.paint
  const columns: Column<TaskForecast>[] = [
    { title: 'TASK', value: ({ name }) => name, min: 16, style: bold },
    { title: 'RUNS', value: ({ runs }) => number(runs), align: 'right' },
    { title: 'SKIPPED', value: ({ skipped }) => number(skipped), align: 'right' },
    { title: 'MOST LATE', value: latenessText, align: 'right', drop: 1 },
    { title: 'LONGEST GAP', value: gapText, align: 'right', drop: 2 },
    { title: 'FIRST', value: ({ first }) => when(first), drop: 3 },
    { title: 'LAST', value: ({ last }) => when(last), drop: 3 },
  ]
  const tasks = [...played.tasks].sort((a, b) => b.runs - a.runs || (a.name < b.name ? -1 : 1))
  session.line()
  session.table(columns, tasks.slice(0, tasksShown))
  if (tasks.length > tasksShown) {
    session.notice(`${tasksShown} of ${counted(tasks.length, 'task')}; --json and --page have more`)
  }
  for (const { name, broken } of tasks) {
    if (broken !== null) session.text(red(`"${visible(name)}" cannot be planned: ${visible(broken)}`))
  }
}

const ownerless = ({ longestWithoutOwnerMs, partitions }: OutageForecast) => {
  if (partitions === 0) return '-'
  return longestWithoutOwnerMs === null ? 'to the end' : durationText(longestWithoutOwnerMs)
}

const printOutages = (session: Session, played: Forecast, when: (instant: number | null) => string) => {
  const { outages } = played
  if (outages.length === 0) return
  session.line()
  session.table(
    [
      { title: 'GONE', value: ({ node }) => (node === null ? 'all nodes' : nodeName(node)) },
      { title: 'FROM', value: ({ from }) => when(from) },
      { title: 'FOR', value: ({ from, until }) => durationText(until - from), align: 'right' },
      { title: 'PARTITIONS', value: ({ partitions }) => number(partitions), align: 'right', drop: 1 },
      { title: 'NO OWNER', value: ownerless, align: 'right' },
    ],
    outages.slice(0, outagesShown),
  )
  if (outages.length > outagesShown) session.notice(`${outagesShown} of ${counted(outages.length, 'outage')}`)
}

const printLeftOut = (session: Session, { leftOut }: Forecast) => {
  if (leftOut.length === 0) return
  const { yellow } = session.world.out.paint
  session.line()
  session.line(yellow(`${counted(leftOut.length, 'task')} left out`))
  for (const { name, reason } of leftOut.slice(0, leftOutShown)) {
    session.text(`"${visible(name)}": ${visible(reason)}`, 2)
  }
  if (leftOut.length > leftOutShown) session.line(`  and ${leftOut.length - leftOutShown} more`)
}

const printChecks = (session: Session, { checks }: Forecast) => {
  if (checks.length === 0) return
  const { green, red, dim } = session.world.out.paint
  session.line()
  for (const { text, passed, violations, first } of checks) {
    session.text(`${passed ? green('holds ') : red('broken')}  ${visible(text)}`)
    for (const { when, message } of first) session.text(`${when}  ${visible(message)}`, 8)
    if (violations > first.length) session.line(dim(`        and ${number(violations - first.length)} more`))
  }
}

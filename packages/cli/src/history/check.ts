import {
  checkHistory,
  HistoryError,
  type HistoryRecord,
  type HistoryReport,
  historyPage,
  linesOf,
  type RuleCount,
  readHistory,
  type Violation,
} from '@almanac/history'
import { Ended, exitCodes, Failure, invalidValue } from '../failure.js'
import type { Column } from '../output/table.js'
import { counted, visible } from '../output/text.js'
import { duration, instantText } from '../output/time.js'
import { Session } from '../session.js'
import type { World } from '../world.js'

export interface HistoryCheckOptions {
  readonly page?: string
  readonly json?: boolean
}

const violationsShown = 20

const recordsOf = async (world: World, file: string): Promise<readonly HistoryRecord[]> => {
  let text: string
  try {
    text = await world.readText(file)
  } catch (fault) {
    if (!(fault instanceof Failure)) throw fault
    // 1 means that the history is bad; one that can't be read is neither good nor bad.
    throw new Failure(fault.message, exitCodes.usage, { ...fault.details, code: 'invalid' })
  }
  return judged(file, () => [...readHistory(linesOf(text))])
}

const judged = <T>(file: string, work: () => T): T => {
  try {
    return work()
  } catch (fault) {
    if (fault instanceof HistoryError) throw invalidValue(`${file} is no history: ${fault.message}.`)
    throw fault
  }
}

const number = (value: number) => value.toLocaleString('en-US')

const printRules = (session: Session, { rules }: HistoryReport): void => {
  const { green, red, dim } = session.world.out.paint
  const verdict = ({ checked, violated }: RuleCount) =>
    violated > 0 ? 'broken' : checked > 0 ? 'holds' : 'not seen'
  const columns: readonly Column<RuleCount>[] = [
    { title: 'Rule', value: ({ rule }) => rule },
    { title: 'Checked', value: ({ checked }) => number(checked), align: 'right' },
    { title: 'Violated', value: ({ violated }) => number(violated), align: 'right' },
    {
      title: '',
      value: verdict,
      style: (text, row) => (row.violated > 0 ? red(text) : row.checked > 0 ? green(text) : dim(text)),
    },
  ]
  session.table(columns, rules)
}

const whenOf = (at: number): string => (Math.abs(at) <= 8.64e15 ? instantText(at) : String(at))

const printViolations = (session: Session, violations: readonly Violation[], total: number): void => {
  const { red, dim } = session.world.out.paint
  for (const { rule, at, taskId, message } of violations.slice(0, violationsShown)) {
    const place = [at === null ? '' : whenOf(at), taskId === null ? '' : `task ${taskId}`]
    session.line(`${red(rule)} ${dim(visible(place.filter((part) => part !== '').join(', ')))}`)
    session.text(visible(message), 2)
  }
  const more = total - Math.min(violations.length, violationsShown)
  if (more > 0) session.line(dim(`and ${number(more)} more`))
}

const print = (session: Session, report: HistoryReport, total: number): void => {
  const { meta, counts } = report
  const { bold } = session.world.out.paint
  session.text(
    bold(visible(`${meta.source}: cluster ${meta.cluster}, ${counted(meta.partitions, 'partition')}`)),
  )
  session.text(
    `${counted(counts.runs, 'run')}, ${number(counts.skipped)} skipped, ${counted(counts.occurrences, 'occurrence')} ` +
      `accounted for, ${counted(counts.checkpoints, 'checkpoint')}, ${counted(counts.takeovers, 'takeover')}, ` +
      `${counted(counts.events, 'event')}, ${counted(counts.answers, 'answered command')}`,
  )
  session.line()
  printRules(session, report)
  session.line()
  if (total === 0) session.line(session.world.out.paint.green('Nothing is wrong.'))
  else printViolations(session, report.violations, total)
}

/** Judges a file of records; ends with 1 when something is wrong. */
export const check = async (world: World, file: string, options: HistoryCheckOptions): Promise<void> => {
  const session = new Session(world, options)
  const started = world.clock.elapsed()
  const records = await recordsOf(world, file)
  const report = judged(file, () => checkHistory(records))
  const elapsed = world.clock.elapsed() - started
  const total = report.rules.reduce((sum, { violated }) => sum + violated, 0)
  if (session.json) session.document(report)
  else print(session, report, total)
  if (options.page !== undefined) {
    await world.writeText(options.page, historyPage(report, records))
    session.notice(`The page is in ${options.page}`)
  }
  session.notice(`${counted(records.length, 'record')} judged in ${duration(elapsed)}`)
  if (total > 0) throw new Ended(exitCodes.refused)
}

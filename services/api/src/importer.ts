import { type CommandContext, calendarIdOf, digestOf, partOf, scheduleIdOf } from '@almanac/domain'
import type { Outcome } from '@almanac/engine'
import {
  CalendarBody,
  domainCalendarDays,
  domainScheduleValue,
  type ImportLine,
  type importModes,
  maxLineBytes,
  NewTaskBody,
  newTaskInput,
  ScheduleBody,
} from '@almanac/protocol'
import type { Ajv, ValidateFunction } from 'ajv'
import { strictJson } from './body.js'
import type { Host } from './host.js'
import { type Line, linesOf, textOf } from './lines.js'
import { ApiProblem, granted, problemBody, toProblem, valid } from './problem.js'
import { assertShape } from './validation.js'

type Mode = (typeof importModes)[number]

/** How many tasks are created at the same time, so that they share writes to the disk. */
const together = 256
/** A line of progress each so many. */
const progressEach = 1_000

interface Shapes {
  readonly task: ValidateFunction<NewTaskBody>
  readonly schedule: ValidateFunction<ScheduleBody>
  readonly calendar: ValidateFunction<CalendarBody>
}

interface Applied {
  readonly created: boolean
  readonly position: number
}

interface Parsed {
  readonly kind: string
  readonly name: string | null
  readonly fields: object
}

/** Takes lines of JSON in, each as the single request would be taken. */
export class Importer {
  private readonly host: Host
  private readonly shapes: Shapes

  constructor(host: Host, ajv: Ajv) {
    this.host = host
    this.shapes = {
      task: ajv.compile<NewTaskBody>(NewTaskBody),
      schedule: ajv.compile<ScheduleBody>(ScheduleBody),
      calendar: ajv.compile<CalendarBody>(CalendarBody),
    }
  }

  /**
   * Answers in lines while it reads. Tasks of different names go together; what tasks refer to, and a name that comes
   * twice, waits for those before it. Reads no further ahead than it works.
   */
  async *run(
    body: AsyncIterable<Buffer>,
    context: CommandContext,
    mode: Mode,
    settled: (position: number) => Promise<void>,
  ): AsyncGenerator<string> {
    const counts = { lines: 0, created: 0, existing: 0, failed: 0 }
    let position = 0
    let batch: { readonly line: Line; readonly parsed: Parsed }[] = []
    let names = new Set<string>()
    let end: { readonly line: number; readonly counts: Counts } | undefined
    const seen = { calendars: 0, schedules: 0, tasks: 0 }
    const flush = async (): Promise<string> => {
      const done = batch
      batch = []
      names = new Set()
      const answers = await Promise.all(
        done.map(async ({ line, parsed }) => {
          try {
            const own = partOf(context, line.number, () => digestOf(JSON.stringify(parsed.fields)))
            const applied = await this.apply(own, parsed, mode)
            position = Math.max(position, applied.position)
            counts[applied.created ? 'created' : 'existing'] += 1
            return ''
          } catch (error) {
            return problemLine(line, parsed, error)
          }
        }),
      )
      const problems = answers.filter((answer) => answer !== '')
      counts.failed += problems.length
      // The read models are not left far behind: a schedule that came before is known to the tasks that use it.
      if (done.some(({ parsed }) => parsed.kind !== 'task')) await settled(position)
      return problems.join('')
    }
    for await (const line of linesOf(body, maxLineBytes)) {
      counts.lines += 1
      let parsed: Parsed
      try {
        parsed = parsedOf(line)
      } catch (error) {
        counts.failed += 1
        yield problemLine(line, undefined, error)
        continue
      }
      if (parsed.kind === 'end') {
        end = { line: line.number, counts: parsed.fields as Counts }
        counts.lines -= 1
        continue
      }
      if (parsed.kind in plurals) seen[plurals[parsed.kind as keyof typeof plurals]] += 1
      const isAlone = parsed.kind !== 'task'
      const key = `${parsed.kind}|${parsed.name?.normalize('NFC')}`
      if (isAlone || names.has(key) || batch.length >= together) yield await flush()
      batch.push({ line, parsed })
      names.add(key)
      if (isAlone) yield await flush()
      if (counts.lines % progressEach === 0) yield text({ progress: { ...counts } })
    }
    yield await flush()
    await settled(position)
    const problem = end === undefined ? undefined : missing(end.counts, seen)
    if (end !== undefined && problem !== undefined) {
      yield text({ problem: { line: end.line, kind: 'end', name: null, problem } })
    }
    yield text({ done: { ...counts, correlationId: context.correlationId, position } })
  }

  private apply(context: CommandContext, { kind, fields }: Parsed, mode: Mode): Promise<Applied> {
    if (kind === 'task') return this.task(context, fields, mode)
    if (kind === 'schedule') return this.schedule(context, fields, mode)
    if (kind === 'calendar') return this.calendar(context, fields, mode)
    throw new ApiProblem('invalid_body', 'The kind is not known.', [
      { path: 'kind', code: 'enum', message: 'must be one of calendar, schedule, task, end' },
    ])
  }

  private async task(context: CommandContext, fields: object, mode: Mode): Promise<Applied> {
    const { commands, queries } = this.host.app
    assertShape(this.shapes.task, fields, 'task')
    const { input, imported } = valid(newTaskInput(fields))
    const isThere = queries.taskByName(context.namespace, input.name.normalize('NFC')) !== undefined
    if (mode === 'create' || !isThere) {
      const created = await commands.createTask(context, input, imported)
      if (created.ok || mode === 'create' || created.error.code !== 'name_taken') return granted(created)
    }
    return granted(await commands.putTask(context, input, { onlyCreate: mode === 'ensure' }))
  }

  private async schedule(context: CommandContext, fields: object, mode: Mode): Promise<Applied> {
    const { commands } = this.host.app
    assertShape(this.shapes.schedule, fields, 'schedule')
    const { schedule, description = '', name } = fields
    const value = domainScheduleValue(schedule)
    return this.createOr(
      mode,
      () => commands.createSchedule(context, { name, schedule: value, description }),
      (isLeft) =>
        commands.changeSchedule(
          context,
          scheduleIdOf(context.namespace, name),
          isLeft ? {} : { schedule: value, description },
        ),
    )
  }

  private async calendar(context: CommandContext, fields: object, mode: Mode): Promise<Applied> {
    const { commands } = this.host.app
    assertShape(this.shapes.calendar, fields, 'calendar')
    const { days, description = '', name } = fields
    const value = domainCalendarDays(days)
    return this.createOr(
      mode,
      () => commands.createCalendar(context, { name, days: value, description }),
      (isLeft) =>
        commands.changeCalendar(
          context,
          calendarIdOf(context.namespace, name),
          isLeft ? {} : { days: value, description },
        ),
    )
  }

  /** What tasks share; one of the name that is there already is left, changed or refused, as the mode has it. */
  private async createOr(
    mode: Mode,
    create: () => Outcome<unknown>,
    change: (isLeft: boolean) => Outcome<unknown>,
  ): Promise<Applied> {
    const created = await create()
    if (created.ok || mode === 'create' || !isTaken(created.error.code)) return granted(created)
    return granted(await change(mode === 'ensure'))
  }
}

const plurals = { calendar: 'calendars', schedule: 'schedules', task: 'tasks' } as const

const isTaken = (code: string): boolean => code === 'name_taken' || code === 'already_exists'

function parsedOf(line: Line): Parsed {
  const value = strictJson(textOf(line, maxLineBytes), 'The line')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ApiProblem('invalid_body', 'A line must be an object.')
  }
  const { kind, ...fields } = value as { readonly kind?: unknown; readonly name?: unknown }
  const name = typeof fields.name === 'string' ? fields.name : null
  return { kind: typeof kind === 'string' ? kind : '', name, fields }
}

type Counts = { readonly [key in (typeof plurals)[keyof typeof plurals]]: number }

/** The last line of an export counts the others: a file that lost some is told. */
function missing(wanted: Counts, seen: Counts) {
  const wrong = (Object.keys(seen) as (keyof Counts)[]).filter((key) => wanted[key] !== seen[key])
  if (wrong.length === 0) return undefined
  return problemBody(
    new ApiProblem(
      'invalid_body',
      'The file has not the lines that its last line counts.',
      wrong.map((path) => ({
        path,
        code: 'miscounted',
        message: `is ${wanted[path]}, but ${seen[path]} came`,
      })),
    ),
  )
}

const text = (line: ImportLine): string => `${JSON.stringify(line)}\n`

function problemLine(line: Line, parsed: Parsed | undefined, error: unknown): string {
  const problem = toProblem(error)
  if (problem.code === 'internal') throw error
  const { kind = null, name = null } = parsed ?? {}
  return text({ problem: { line: line.number, kind, name, problem: problemBody(problem) } })
}

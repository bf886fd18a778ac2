import type { CalendarJson, ScheduleJson, TaskJson } from '@almanac/protocol'
import type { LeftOut, RawCatalog } from '@almanac/simulator/forecast'
import { type FieldProblem, refused } from '../failure.js'
import { readPages } from '../http/pages.js'
import { planImport } from '../import/celery.js'
import { readFixture } from '../import/fixture.js'
import { progressBar } from '../output/progress.js'
import type { Session } from '../session.js'
import { readStrictJson } from '../strict-json.js'

/** What is to be simulated, not checked yet. */
export interface Input {
  readonly raw: RawCatalog
  /** Rows of a fixture that the import would refuse. */
  readonly leftOut: readonly LeftOut[]
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const everything = { limit: Number.POSITIVE_INFINITY }

/** All tasks of the namespace, with the schedules and calendars that they may refer to. */
export const readServer = async (session: Session): Promise<RawCatalog> => {
  const { server, world } = session
  const bar = await progressBar(world.err, 'tasks', 1000)
  const tasks = await readPages<TaskJson>(server, '/tasks', {}, { ...everything, progress: bar.at }).finally(
    () => bar.end(),
  )
  const schedules = await readPages<ScheduleJson>(server, '/schedules', {}, everything)
  const calendars = await readPages<CalendarJson>(server, '/calendars', {}, everything)
  return { tasks: tasks.items, schedules: schedules.items, calendars: calendars.items }
}

const parsed = async (file: string, text: string, line?: number): Promise<unknown> => {
  const read = await readStrictJson(text)
  if (read.ok) return read.value
  const { path, message } = read.fault
  throw refused(
    `${file}${line === undefined ? '' : `, line ${line}`} is not JSON as it should be: ${path} ${message}`.trim(),
  )
}

/** One JSON document, or one on each line: then a list of them. */
const documentsOf = async (file: string, text: string): Promise<unknown> => {
  const lines = text.split('\n').map((line, index) => ({ line: line.trim(), number: index + 1 }))
  const [first, second] = lines.filter(({ line }) => line !== '')
  const isLines = second !== undefined && first?.line.startsWith('{') === true && first.line.endsWith('}')
  if (!isLines) return parsed(file, text)
  const items: unknown[] = []
  for (const { line, number } of lines) if (line !== '') items.push(await parsed(file, line, number))
  return items
}

const listOf = (file: string, value: unknown, key: string): readonly unknown[] => {
  const list = isRecord(value) && 'items' in value ? value.items : value
  if (list === undefined) return []
  if (Array.isArray(list)) return list
  throw refused(`${file}: "${key}" is not a list.`)
}

const catalogOf = (file: string, value: unknown): RawCatalog => {
  if (Array.isArray(value)) return { tasks: value, schedules: [], calendars: [] }
  if (isRecord(value)) {
    if ('items' in value) return { tasks: listOf(file, value, 'items'), schedules: [], calendars: [] }
    if ('tasks' in value) {
      const part = (key: string) => listOf(file, value[key], key)
      return { tasks: part('tasks'), schedules: part('schedules'), calendars: part('calendars') }
    }
    if ('schedule' in value) return { tasks: [value], schedules: [], calendars: [] }
  }
  throw refused(`${file} has no tasks.`, {
    hint: 'Make it with: almanac tasks export > tasks.json, or python manage.py dumpdata django_celery_beat',
  })
}

const isFixture = (value: unknown): boolean =>
  Array.isArray(value) && isRecord(value[0]) && 'model' in value[0] && 'fields' in value[0]

const problemText = (problems: readonly FieldProblem[]) =>
  problems.map(({ path, message }) => `${path} ${message}`).join('; ')

const ofFixture = (text: string, now: number): Input => {
  const { tasks } = planImport(readFixture(text), now)
  return {
    raw: { tasks: tasks.flatMap(({ body }) => (body ? [body] : [])), schedules: [], calendars: [] },
    leftOut: tasks
      .filter(({ body }) => body === undefined)
      .map(({ name, row, findings }) => ({
        name: name === '' ? `row ${row.pk}` : name,
        reason: `the import refuses it: ${problemText(findings.problems)}`,
      })),
  }
}

/**
 * What a file says: `almanac tasks export` or `tasks list --json`, tasks as they are posted (a list, or one a line), or
 * a fixture of django-celery-beat. `now` tells what is past for the fixture.
 */
export const readInput = async (session: Session, file: string, now: number): Promise<Input> => {
  const text = await session.world.readText(file)
  if (text.trim() === '') throw refused(`${file} is empty.`)
  const value = await documentsOf(file, text)
  if (isFixture(value)) return ofFixture(text, now)
  return { raw: catalogOf(file, value), leftOut: [] }
}

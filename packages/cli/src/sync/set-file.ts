import { validateTaskSpec } from '@almanac/domain'
import { specJson, type TaskBody, taskInput } from '@almanac/protocol'
import { nearest, type Problem, parseCalendar, validateSchedule } from '@almanac/recurrence'
import {
  type Document,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import type { FieldProblem } from '../failure.js'

/** Where an entry stands. */
export interface Place {
  readonly file: string
  readonly line: number
}

export interface SharedEntry {
  readonly name: string
  /** `schedule` or `days`, and `description` when the entry has one. */
  readonly value: { readonly [field: string]: unknown }
  readonly place: Place
}

export interface TaskEntry {
  readonly name: string
  /** What the set owns of the task: fields of the entry; labels one by one, as `labels.team`. */
  readonly owned: readonly string[]
  /** The whole task as the server would show it, with defaults for what the entry leaves out. */
  readonly spec: { readonly [field: string]: unknown }
  readonly place: Place
}

/** What files say should be there. */
export interface SetFile {
  readonly set: string
  readonly calendars: readonly SharedEntry[]
  readonly schedules: readonly SharedEntry[]
  readonly tasks: readonly TaskEntry[]
}

/** Labels of these keys are ours: which set a task is of, and which of its fields the set owns. */
export const reservedLabels = 'almanac/'

/** `$schema` is for editors. */
const sections = ['$schema', 'set', 'calendars', 'schedules', 'tasks']
const nameRule = /^[a-z0-9][a-z0-9.-]{0,62}$/

type Fields = { readonly [field: string]: unknown }
interface Entry {
  readonly name: string
  readonly fields: Fields
  readonly node: YAMLMap
  readonly place: Place
}

/** Reads files of one set; all that is wrong in any of them is told at once, each with file and line. */
export function readSet(files: readonly { readonly path: string; readonly text: string }[]): {
  readonly set: SetFile | undefined
  readonly problems: readonly FieldProblem[]
} {
  const problems: FieldProblem[] = []
  const readers = files.map(({ path, text }) => new FileReader(path, text, problems))
  const names = new Set(readers.flatMap((reader) => reader.setName() ?? []))
  if (names.size > 1) problems.push({ path: 'set', message: `is ${[...names].join(' and ')}: one at a time` })
  const [set] = names
  if (set === undefined && problems.length === 0) {
    problems.push({ path: 'set', message: 'is in no file: give the set a name, such as set: payments' })
  }
  const calendars = readers.flatMap((reader) => reader.calendars())
  const schedules = readers.flatMap((reader) => reader.schedules())
  const tasks = readers.flatMap((reader) => reader.tasks())
  for (const entries of [calendars, schedules, tasks]) twice(entries, problems)
  if (set === undefined || problems.length > 0) return { set: undefined, problems }
  return { set: { set, calendars, schedules, tasks }, problems }
}

function twice(
  entries: readonly { readonly name: string; readonly place: Place }[],
  problems: FieldProblem[],
) {
  const first = new Map<string, Place>()
  for (const { name, place } of entries) {
    const before = first.get(name)
    if (before === undefined) first.set(name, place)
    else problems.push({ path: at(place), message: `"${name}" is there twice: also at ${at(before)}` })
  }
}

export const at = ({ file, line }: Place): string => `${file}:${line}`

/** One YAML or JSON file (JSON is YAML). */
class FileReader {
  private readonly file: string
  private readonly lines = new LineCounter()
  private readonly document: Document.Parsed<ParsedNode>
  private readonly root: YAMLMap | undefined
  private readonly problems: FieldProblem[]

  constructor(file: string, text: string, problems: FieldProblem[]) {
    this.file = file
    this.problems = problems
    const document = parseDocument(text, { lineCounter: this.lines, uniqueKeys: true })
    this.document = document
    for (const { message, pos } of document.errors) {
      const [first = message] = message.split('\n')
      this.problem(this.lines.linePos(pos[0]).line, first.replace(/ at line .*$/, ''))
    }
    const { contents } = document
    this.root = isMap(contents) && document.errors.length === 0 ? contents : undefined
    if (this.root !== undefined) this.checkKeys(this.root, sections, '')
    else if (document.errors.length === 0)
      this.problem(1, 'must be a mapping with set, tasks, schedules, calendars')
  }

  setName(): string | undefined {
    const name: unknown = this.root?.get('set')
    if (name === undefined) return undefined
    if (typeof name === 'string' && nameRule.test(name)) return name
    this.problem(this.lineOfKey(this.root, 'set'), 'set must be 1 to 63 of a-z, 0-9, - and .')
    return undefined
  }

  calendars(): readonly SharedEntry[] {
    return this.entries('calendars').flatMap(({ name, fields, node, place }) => {
      this.checkKeys(node, ['name', 'days', 'description'], 'calendar ')
      const parsed = parseCalendar(fields.days, 'days')
      if (!parsed.ok) this.tell(parsed.error, node, '')
      const description = this.description(fields, node)
      return parsed.ok ? [{ name, value: { days: parsed.value, ...description }, place }] : []
    })
  }

  schedules(): readonly SharedEntry[] {
    return this.entries('schedules').flatMap(({ name, fields, node, place }) => {
      this.checkKeys(node, ['name', 'schedule', 'description'], 'schedule ')
      const checked = validateSchedule(fields.schedule)
      if (!checked.ok) this.tell(checked.error, node, 'schedule')
      const description = this.description(fields, node)
      return checked.ok ? [{ name, value: { schedule: checked.value, ...description }, place }] : []
    })
  }

  /** Of a shared schedule or calendar: it is the set's only when the entry has it. */
  private description({ description }: Fields, node: YAMLMap): { readonly description?: string } {
    if (description === undefined) return {}
    if (typeof description === 'string') return { description }
    this.problem(this.lineOfKey(node, 'description'), 'description must be text')
    return {}
  }

  tasks(): readonly TaskEntry[] {
    return this.entries('tasks').flatMap(({ name, fields, node, place }) => {
      const { name: _, ...given } = fields
      const read = readTask({ ...given, name })
      if (!read.ok) {
        this.tell(read.error, node, '')
        return []
      }
      const labels = Object.keys(Object(given.labels))
      const wrong = labels.flatMap((label) => {
        if (label.startsWith(reservedLabels)) return [`labels.${label}: ${reservedLabels} is reserved`]
        // The set keeps what it owns as a list with commas.
        return label.includes(',') ? [`labels.${label} must not have a comma in its key`] : []
      })
      for (const message of wrong) this.problem(this.lineOfKey(node, 'labels'), message)
      if (wrong.length > 0) return []
      const owned = [
        ...Object.keys(given).filter((field) => field !== 'labels'),
        ...labels.map((label) => `labels.${label}`),
      ]
      return [{ name, owned, spec: read.value, place }]
    })
  }

  /** The entries of a section: a list of mappings with names, or a mapping by name. */
  private entries(section: string): readonly Entry[] {
    const node: unknown = this.root?.get(section, true)
    if (node === undefined || (isScalar(node) && node.value === null)) return []
    if (isMap(node)) {
      return node.items.flatMap(({ key, value }) => {
        const name = isScalar(key) ? String(key.value) : ''
        return this.entry(section, value, this.placeOf(key), name)
      })
    }
    if (isSeq(node)) return node.items.flatMap((item) => this.entry(section, item, this.placeOf(item)))
    this.problem(this.lineOfKey(this.root, section), `${section} must be a list, or a mapping by name`)
    return []
  }

  private entry(section: string, node: unknown, place: Place, key?: string): readonly Entry[] {
    if (!isMap(node)) {
      this.problem(place.line, `each of ${section} must be a mapping`)
      return []
    }
    const fields = this.fieldsOf(node, place)
    if (fields === undefined) return []
    const name = (key ?? fields.name) as unknown
    if (typeof name !== 'string' || name.trim() === '') {
      this.problem(place.line, `each of ${section} needs a name`)
      return []
    }
    if (fields.name !== undefined && fields.name !== name) {
      this.problem(this.lineOfKey(node, 'name'), `name is another than "${name}", by which the entry stands`)
      return []
    }
    return [{ name: name.normalize('NFC'), fields, node, place }]
  }

  /** What an entry says, aliases followed. */
  private fieldsOf(node: YAMLMap, place: Place): Fields | undefined {
    try {
      return node.toJS(this.document) as Fields
    } catch (fault) {
      // An alias of nothing, or so many within each other that the text would be huge.
      this.problem(place.line, fault instanceof Error ? fault.message : String(fault))
      return undefined
    }
  }

  private checkKeys(node: YAMLMap, known: readonly string[], what: string): void {
    for (const pair of node.items) {
      const key = isPair(pair) && isScalar(pair.key) ? String(pair.key.value) : ''
      if (known.includes(key)) continue
      const near = nearest(key, known)
      const hint = near === undefined ? `one of ${known.join(', ')}` : `did you mean ${near}?`
      this.problem(this.lineOf(pair.key), `${what}${key} is not known: ${hint}`)
    }
  }

  /** Rules that an entry breaks, each at the line of the field. */
  private tell(problems: readonly Problem[], node: YAMLMap, under: string): void {
    for (const { path, message } of problems) {
      const whole = [under, path].filter((part) => part !== '').join('.')
      const [field = ''] = whole.split(/[.[]/)
      this.problem(this.lineOfKey(node, field), `${whole} ${message}`.trim())
    }
  }

  private problem(line: number, message: string): void {
    this.problems.push({ path: at({ file: this.file, line }), message })
  }

  private placeOf(node: unknown): Place {
    return { file: this.file, line: this.lineOf(node) }
  }

  private lineOf(node: unknown): number {
    const { range } = Object(node) as { readonly range?: readonly number[] }
    return range?.[0] === undefined ? 1 : this.lines.linePos(range[0]).line
  }

  private lineOfKey(map: YAMLMap | undefined, key: string): number {
    const pair = map?.items.find((item) => isScalar(item.key) && item.key.value === key)
    return this.lineOf(pair?.key ?? map)
  }
}

/** What the server tells by a schema of its own, before the rules of the domain. */
const shapes: { readonly [field: string]: readonly [isRight: (value: unknown) => boolean, rule: string] } = {
  args: [Array.isArray, 'must be a list'],
  catchUp: [
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be a mapping with policy, windowSeconds, max',
  ],
  reason: [() => false, 'is no field of an entry: the reason is an option of apply'],
}

/** A task as it would be posted, checked by the rules of the server; the answer has every field. */
function readTask(body: Fields): { ok: true; value: Fields } | { ok: false; error: readonly Problem[] } {
  const misshapen = Object.entries(shapes).flatMap(([path, [isRight, message]]): Problem[] =>
    path in body && !isRight(body[path]) ? [{ path, code: 'type', message }] : [],
  )
  if (misshapen.length > 0) return { ok: false, error: misshapen }
  const input = taskInput(body as unknown as TaskBody)
  if (!input.ok) return input
  const spec = validateTaskSpec(input.value)
  return spec.ok ? { ok: true, value: specJson(spec.value) } : spec
}

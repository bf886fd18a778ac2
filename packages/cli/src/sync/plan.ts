import { blankSpec, sameJson } from '@almanac/domain'
import { specJson, type TaskJson } from '@almanac/protocol'
import { at, type Place, reservedLabels, type SetFile, type SharedEntry, type TaskEntry } from './set-file.js'

/** A shared schedule or calendar as the server has it. */
export interface SharedNow {
  readonly id: string
  readonly name: string
  readonly revision: number
  readonly value: { readonly [field: string]: unknown }
  /** The set that made it or took it over; null: none. */
  readonly owner: string | null
}

/** What the server has. */
export interface Present {
  /** Of the set, and all of the names in the files. */
  readonly tasks: readonly TaskJson[]
  readonly schedules: readonly SharedNow[]
  readonly calendars: readonly SharedNow[]
}

export interface Difference {
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

export type Action = 'create' | 'change' | 'adopt' | 'delete'
export type Kind = 'calendar' | 'schedule' | 'task'

export interface Step {
  readonly kind: Kind
  readonly action: Action
  readonly name: string
  /** Of what is there. */
  readonly id: string | null
  readonly revision: number | null
  readonly place: Place | null
  readonly differences: readonly Difference[]
  /** As it would be: what is sent. Null: it goes. */
  readonly value: { readonly [field: string]: unknown } | null
}

export interface Plan {
  readonly set: string
  /** In the order in which they can be done: what is referred to comes before, and goes after. */
  readonly steps: readonly Step[]
  readonly unchanged: number
  /** What stands in the way, with its place. */
  readonly problems: readonly { readonly path: string; readonly message: string }[]
}

const setLabel = `${reservedLabels}set`
const fieldsLabel = `${reservedLabels}fields`
/** What a label holds at most. */
const labelLength = 200

export const setOf = ({ labels }: Pick<TaskJson, 'labels'>): string | undefined => labels[setLabel]

/** The fields that the set owned when it was applied last. */
export const ownedBefore = ({ labels }: Pick<TaskJson, 'labels'>): readonly string[] =>
  Object.keys(labels)
    .filter((key) => key === fieldsLabel || key.startsWith(`${fieldsLabel}.`))
    .sort()
    .flatMap((key) => (labels[key] ?? '').split(','))
    .filter((field) => field !== '')

/** Fields that every entry has are not told. */
const always = new Set(['task', 'schedule'])

function marks(set: string, owned: readonly string[]): { [key: string]: string } {
  const labels: { [key: string]: string } = { [setLabel]: set }
  let part = ''
  let index = 1
  const put = () => {
    if (part !== '') labels[index === 1 ? fieldsLabel : `${fieldsLabel}.${index}`] = part
    index += 1
    part = ''
  }
  for (const field of owned.filter((each) => !always.has(each)).sort()) {
    if (part.length + field.length + 1 > labelLength) put()
    part = part === '' ? field : `${part},${field}`
  }
  put()
  return labels
}

const defaults: { readonly [field: string]: unknown } = specJson(blankSpec)

/**
 * What has to be done so that the server has what the files say. Pure. Only fields that an entry has are the set's:
 * what others set beside them stays. A field that the set owned and that its entry has no longer gets its default.
 */
export function planOf(file: SetFile, present: Present, options: { readonly adopt: boolean }): Plan {
  const problems: { path: string; message: string }[] = []
  const claim: Claim = { set: file.set, adopt: options.adopt, problems }
  const calendars = file.calendars.map((entry) => sharedStep('calendar', entry, present.calendars, claim))
  const schedules = file.schedules.map((entry) => sharedStep('schedule', entry, present.schedules, claim))
  const tasks = file.tasks.map((entry) => taskStep(entry, present.tasks, claim))
  const made = [...calendars, ...schedules, ...tasks]
  const gone = [
    ...present.tasks
      .filter((task) => setOf(task) === file.set && !file.tasks.some(({ name }) => name === task.name))
      .map(({ id, name, revision }) => deletion('task', { id, name, revision })),
    ...unnamed('schedule', present.schedules, file.schedules, file.set),
    ...unnamed('calendar', present.calendars, file.calendars, file.set),
  ]
  const steps = [...made.flatMap((step) => step ?? []), ...gone]
  return { set: file.set, steps, unchanged: made.filter((step) => step === undefined).length, problems }
}

const deletion = (
  kind: Kind,
  { id, name, revision }: { id: string; name: string; revision: number },
): Step => ({
  kind,
  action: 'delete',
  name,
  id,
  revision,
  place: null,
  differences: [],
  value: null,
})

const unnamed = (
  kind: Kind,
  now: readonly SharedNow[],
  wanted: readonly SharedEntry[],
  set: string,
): readonly Step[] =>
  now
    .filter(({ owner, name }) => owner === set && !wanted.some((entry) => entry.name === name))
    .map((each) => deletion(kind, each))

interface Claim {
  readonly set: string
  readonly adopt: boolean
  readonly problems: { path: string; message: string }[]
}

/** How the set may write what is there; undefined: it may not, and why is told. */
function actionOn(
  what: string,
  owner: string | null,
  place: Place,
  { set, adopt, problems }: Claim,
): 'change' | 'adopt' | undefined {
  if (owner === set) return 'change'
  if (owner === null && adopt) return 'adopt'
  const message =
    owner === null
      ? `${what} is there already and of no set: --adopt takes it over`
      : `${what} belongs to the set ${owner}`
  problems.push({ path: at(place), message })
  return undefined
}

function sharedStep(
  kind: 'calendar' | 'schedule',
  { name, value, place }: SharedEntry,
  present: readonly SharedNow[],
  claim: Claim,
): Step | undefined {
  const now = present.find((each) => each.name === name)
  const differences = Object.entries(value).flatMap(([path, after]) => {
    const before = now?.value[path]
    return sameJson(before ?? null, after) ? [] : [{ path, before, after }]
  })
  const step = { kind, name, place, differences, value }
  if (now === undefined) return { ...step, action: 'create', id: null, revision: null }
  // What is there as the file has it serves both, whoever made it.
  if (differences.length === 0) return undefined
  const action = actionOn(`${kind} "${name}"`, now.owner, place, claim)
  return action === undefined ? undefined : { ...step, action, id: now.id, revision: now.revision }
}

function taskStep(entry: TaskEntry, present: readonly TaskJson[], claim: Claim): Step | undefined {
  const { name, owned, spec, place } = entry
  const { set } = claim
  const now = present.find((task) => task.name === name)
  const common = { kind: 'task' as const, name, place }
  if (now === undefined) {
    const value = { ...spec, labels: { ...Object(spec.labels), ...marks(set, owned) } }
    const differences = owned.map((path) => ({ path, before: undefined, after: fieldOf(spec, path) }))
    return { ...common, action: 'create', id: null, revision: null, differences, value }
  }
  const action = actionOn(`task "${name}"`, setOf(now) ?? null, place, claim)
  if (action === undefined) return undefined
  const left = ownedBefore(now).filter((field) => !owned.includes(field))
  const wanted = [
    ...owned.map((path) => [path, fieldOf(spec, path)] as const),
    ...left.map((path) => [path, path.startsWith('labels.') ? undefined : defaults[path]] as const),
  ]
  const current = specOf(now)
  const differences = wanted.flatMap(([path, after]) => {
    const before = fieldOf(current, path)
    return sameJson(before ?? null, after ?? null) ? [] : [{ path, before, after }]
  })
  const value = withFields(current, wanted, marks(set, owned))
  const isMarked = sameJson(Object(value.labels), now.labels)
  if (differences.length === 0 && isMarked) return undefined
  return { ...common, action, id: now.id, revision: now.revision, differences, value }
}

/** The part of a shown task that can be posted. */
const specOf = (task: TaskJson): { readonly [field: string]: unknown } =>
  Object.fromEntries(Object.keys(defaults).map((field) => [field, task[field as keyof TaskJson]]))

const fieldOf = (spec: { readonly [field: string]: unknown }, path: string): unknown =>
  path.startsWith('labels.') ? Object(spec.labels)[path.slice('labels.'.length)] : spec[path]

function withFields(
  current: { readonly [field: string]: unknown },
  wanted: readonly (readonly [string, unknown])[],
  ours: { readonly [key: string]: string },
): { readonly [field: string]: unknown } {
  const fields: { [field: string]: unknown } = { ...current }
  const labels: { [key: string]: unknown } = Object.fromEntries(
    Object.entries(Object(current.labels)).filter(([key]) => !key.startsWith(reservedLabels)),
  )
  for (const [path, value] of wanted) {
    if (!path.startsWith('labels.')) fields[path] = value
    else if (value === undefined) delete labels[path.slice('labels.'.length)]
    else labels[path.slice('labels.'.length)] = value
  }
  return { ...fields, labels: { ...labels, ...ours } }
}

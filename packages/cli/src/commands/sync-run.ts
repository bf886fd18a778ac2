import { Failure, refused, usage } from '../failure.js'
import { valueText } from '../output/diff.js'
import { counted, visible } from '../output/text.js'
import { instantText, relative } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import { alongWith, type Coming, mostCounted, movesRuns, type WhatIf, whatIf } from '../sync/coming.js'
import { type Plan, type Present, planOf, type Step } from '../sync/plan.js'
import { applySteps, type Drift, driftOf, presentOf } from '../sync/server-side.js'
import { at, readSet, type SetFile } from '../sync/set-file.js'
import type { World } from '../world.js'

export interface SyncOptions extends ServerOptions {
  readonly file?: readonly string[]
  readonly adopt?: boolean
  readonly keepDrift?: boolean
  readonly prune?: boolean
  readonly horizon?: string
  readonly check?: boolean
  readonly schema?: boolean
  readonly reason?: string
}

interface Made {
  readonly file: SetFile
  readonly present: Present
  /** What is to be done. */
  readonly plan: Plan
  readonly drift: ReadonlyMap<string, readonly Drift[]>
  /** What is left since it would need --prune. */
  readonly unpruned: readonly Step[]
}

const readFiles = async (world: World, paths: readonly string[] | undefined): Promise<SetFile> => {
  if (paths === undefined) throw usage('-f is needed: the files, or the folder that they are in.')
  const files: { path: string; text: string }[] = []
  for (const given of paths) {
    for (const path of await world.filesIn(given, ['.yaml', '.yml', '.json'])) {
      files.push({ path, text: await world.readText(path) })
    }
  }
  if (files.length === 0) throw refused(`There is no file of .yaml, .yml or .json in ${paths.join(', ')}.`)
  const { set, problems } = readSet(files)
  if (set === undefined) throw refused('The files are not as they should be. Nothing was done.', { problems })
  return set
}

const make = async (session: Session, options: SyncOptions): Promise<Made> => {
  const file = await readFiles(session.world, options.file)
  const present = await presentOf(session, file)
  const whole = planOf(file, present, { adopt: options.adopt === true })
  if (whole.problems.length > 0) {
    throw refused('The set can not be applied. Nothing was done.', { problems: whole.problems })
  }
  const drift = await driftOf(session, whole)
  const isLeft = ({ action }: Step) => action === 'delete' && options.prune !== true
  const unpruned = whole.steps.filter(isLeft)
  const steps = whole.steps.filter((step) => !isLeft(step))
  const plan = {
    ...whole,
    steps: options.keepDrift === true ? steps.flatMap((step) => keep(step, drift)) : steps,
  }
  return { file, present, plan, drift, unpruned }
}

/** The step without what others have changed. */
const keep = (step: Step, drift: Made['drift']): readonly Step[] => {
  const kept = new Set((step.kind === 'task' ? drift.get(step.name) : undefined)?.map(({ path }) => path))
  const differences = step.differences.filter(({ path }) => !kept.has(path))
  if (kept.size === 0) return [step]
  if (differences.length === 0) return []
  const value: { [field: string]: unknown } = { ...step.value }
  const labels: { [key: string]: unknown } = { ...Object(value.labels) }
  for (const { path, before } of step.differences) {
    if (!kept.has(path)) continue
    if (path.startsWith('labels.')) labels[path.slice('labels.'.length)] = before
    else value[path] = before
  }
  const present = Object.fromEntries(Object.entries(labels).filter(([, label]) => label !== undefined))
  return [{ ...step, differences, value: { ...value, labels: present } }]
}

const marks = { create: '+', change: '~', adopt: '~', delete: '-' } as const

const runsText = (session: Session, { count, first }: Coming): string => {
  const many = count >= mostCounted ? `${mostCounted} runs or more` : counted(count, 'run')
  return first[0] === undefined
    ? 'no run'
    : `${many}, first ${instantText(first[0])}, ${relative(first[0], session.now)}`
}

const printStep = (
  session: Session,
  step: Step,
  {
    drift,
    horizon,
    before,
    after,
    present,
  }: {
    readonly drift: readonly Drift[]
    readonly horizon: string
    readonly before: WhatIf
    readonly after: WhatIf
    readonly present: Present
  },
) => {
  const { green, yellow, red, dim, bold } = session.world.out.paint
  const paint = step.action === 'create' ? green : step.action === 'delete' ? red : yellow
  const where = step.place === null ? 'in no file' : at(step.place)
  const adopted = step.action === 'adopt' ? ' (adopted)' : ''
  session.line(
    `${paint(marks[step.action])} ${step.kind} ${bold(visible(step.name))}${adopted}  ${dim(where)}`,
  )
  for (const { path, before: from, after: to } of step.differences) {
    const other = drift.find((each) => each.path === path)
    const why = other?.reason === null || other === undefined ? '' : ` (${visible(other.reason)})`
    const who =
      other === undefined
        ? ''
        : yellow(`  drift: ${visible(other.actor)}, ${relative(Date.parse(other.at), session.now)}${why}`)
    const change = step.action === 'create' ? valueText(to) : `${valueText(from)} → ${valueText(to)}`
    session.line(`    ${path}  ${change}${who}`)
  }
  if (!movesRuns(step)) return
  const now = present.tasks.find(({ name }) => name === step.name)
  const anchor = Date.parse(now?.startTime ?? now?.createdAt ?? new Date(session.now).toISOString())
  const runsOf = (what: WhatIf, isOff: boolean, schedule: unknown) =>
    isOff || schedule === undefined ? { count: 0, first: [] } : what(schedule, anchor)
  const was =
    step.kind === 'task'
      ? runsOf(before, now?.enabled !== true, now?.schedule)
      : before({ ref: step.name }, anchor)
  const will =
    step.kind === 'task'
      ? runsOf(after, step.value === null || step.value.enabled === false, step.value?.schedule)
      : step.value === null
        ? undefined
        : after({ ref: step.name }, anchor)
  const isSame = JSON.stringify(was) === JSON.stringify(will)
  if (isSame || will === undefined) return
  const from = step.action === 'create' || was === undefined ? '' : `${counted(was.count, 'run')} → `
  session.line(dim(`    next ${horizon}: ${from}${runsText(session, will)}`))
}

const headline = ({ set, steps, unchanged }: Plan): string => {
  const many = (...actions: readonly string[]) =>
    steps.filter(({ action }) => actions.includes(action)).length
  return (
    `set ${set}: ${many('create')} to create, ${many('change', 'adopt')} to change, ` +
    `${many('delete')} to delete, ${unchanged} unchanged`
  )
}

const print = (session: Session, { file, present, plan, drift, unpruned }: Made, options: SyncOptions) => {
  const { horizon = '+24h' } = options
  const stretch = { now: session.now, until: session.instant('--horizon', horizon) }
  const told = {
    horizon: horizon.replace(/^\+/, ''),
    before: whatIf(undefined, present, stretch),
    after: whatIf(file, present, stretch),
    present,
  }
  session.line(headline(plan))
  for (const step of plan.steps) printStep(session, step, { ...told, drift: drift.get(step.name) ?? [] })
  for (const { kind, name } of unpruned)
    session.line(`  ${kind} ${visible(name)} is in no file: --prune deletes it`)
  const along = alongWith(plan, present)
  if (along.length > 0) session.line(`  with a changed schedule: ${along.map(visible).join(', ')}`)
}

const documentOf = ({ plan, drift, unpruned }: Made) => ({
  set: plan.set,
  unchanged: plan.unchanged,
  steps: plan.steps.map((step) => ({ ...step, drift: (step.kind === 'task' && drift.get(step.name)) || [] })),
  unpruned,
})

export const planSync = async (world: World, options: SyncOptions): Promise<void> => {
  const session = new Session(world, options)
  if (options.schema === true) {
    const { syncSchema } = await import('../sync/schema.js')
    return session.document(syncSchema())
  }
  const made = await make(session, options)
  if (session.json) session.document(documentOf(made))
  else print(session, made, options)
  if (options.check === true && made.plan.steps.length > 0) {
    throw new Failure(`${counted(made.plan.steps.length, 'step')} to do.`, 1, { code: 'not_in_sync' })
  }
}

export const applySync = async (world: World, options: SyncOptions): Promise<void> => {
  const session = new Session(world, options)
  const made = await make(session, options)
  if (!session.json) print(session, made, options)
  let done = 0
  const failed = await applySteps(session, made.plan, options.reason, () => {
    done += 1
  })
  const problems = failed.map(({ step, message }) => ({
    path: step.place === null ? `${step.kind} ${step.name}` : at(step.place),
    message,
  }))
  if (session.json) session.document({ ...documentOf(made), done, refused: problems })
  else
    session.line(
      made.plan.steps.length === 0 ? 'Nothing to do.' : `${done} of ${made.plan.steps.length} done.`,
    )
  if (problems.length > 0)
    throw refused(`${counted(problems.length, 'step')} could not be done.`, { problems })
}

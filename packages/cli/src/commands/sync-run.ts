import { exitCodes, Failure, refused, usage } from '../failure.js'
import { valueText } from '../output/diff.js'
import { counted, visible } from '../output/text.js'
import { instantText, relative } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import { alongWith, type Coming, type Moved, mostCounted, movedBy, whatIf } from '../sync/coming.js'
import { type Plan, type Present, planOf, type Step } from '../sync/plan.js'
import { applySteps, type Drifts, driftOf, presentOf } from '../sync/server-side.js'
import { at, readSet, type SetFile } from '../sync/set-file.js'
import type { World } from '../world.js'

export interface SyncOptions extends ServerOptions {
  readonly file?: readonly string[]
  readonly adopt?: boolean
  readonly keepDrift?: boolean
  readonly prune?: boolean
  readonly maxDelete?: string
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
  readonly drift: Drifts
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
  refuseMoreThan(options.maxDelete, steps)
  const plan = {
    ...whole,
    steps: options.keepDrift === true ? steps.flatMap((step) => keep(step, drift)) : steps,
  }
  return { file, present, plan, drift, unpruned }
}

/** A folder that is not the right one, or half of it, must not take away what runs. */
const refuseMoreThan = (most: string | undefined, steps: readonly Step[]) => {
  if (most === undefined) return
  if (!/^\d+$/.test(most)) throw usage(`--max-delete must be a whole number, not "${most}".`)
  const gone = steps.filter(({ action }) => action === 'delete')
  if (gone.length <= Number(most)) return
  const problems = gone.map(({ kind, name }) => ({
    path: `${kind} ${visible(name)}`,
    message: 'is in no file',
  }))
  throw refused(`${gone.length} would be deleted, and --max-delete is ${most}. Nothing was done.`, {
    problems,
  })
}

/** The step without what others have changed. */
const keep = (step: Step, drift: Drifts): readonly Step[] => {
  const kept = new Set(drift(step).map(({ path }) => path))
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
  if (step.kind !== 'task') return [{ ...step, differences, value }]
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

const printStep = (session: Session, step: Step, drift: Drifts) => {
  const { green, yellow, red, dim, bold } = session.world.out.paint
  const paint = step.action === 'create' ? green : step.action === 'delete' ? red : yellow
  const where = step.place === null ? 'in no file' : at(step.place)
  const adopted = step.action === 'adopt' ? ' (adopted)' : ''
  session.line(
    `${paint(marks[step.action])} ${step.kind} ${bold(visible(step.name))}${adopted}  ${dim(where)}`,
  )
  const drifts = drift(step)
  for (const { path, before: from, after: to } of step.differences) {
    const other = drifts.find((each) => each.path === path)
    const why = other?.reason === null || other === undefined ? '' : ` (${visible(other.reason)})`
    const who =
      other === undefined
        ? ''
        : yellow(`  drift: ${visible(other.actor)}, ${relative(Date.parse(other.at), session.now)}${why}`)
    const change = step.action === 'create' ? valueText(to) : `${valueText(from)} → ${valueText(to)}`
    session.line(`    ${path}  ${change}${who}`)
  }
}

const printMoved = (session: Session, { action }: Step, { before, after }: Moved, horizon: string) => {
  if (after === undefined) return
  const from = action === 'create' || before === undefined ? '' : `${counted(before.count, 'run')} → `
  session.line(session.world.out.paint.dim(`    next ${horizon}: ${from}${runsText(session, after)}`))
}

/** What each step does to the coming runs. */
const movedIn = (session: Session, { file, present }: Made, horizon: string) => {
  const { now } = session
  const stretch = { now, until: session.instant('--horizon', horizon) }
  const sides = { before: whatIf(undefined, present, stretch), after: whatIf(file, present, stretch), now }
  return (step: Step) => movedBy(step, present, sides)
}

const headline = ({ set, steps, unchanged }: Plan): string => {
  const many = (...actions: readonly string[]) =>
    steps.filter(({ action }) => actions.includes(action)).length
  return (
    `set ${set}: ${many('create')} to create, ${many('change', 'adopt')} to change, ` +
    `${many('delete')} to delete, ${unchanged} unchanged`
  )
}

const print = (session: Session, made: Made, horizon: string) => {
  const { present, plan, drift, unpruned } = made
  const movedBy = movedIn(session, made, horizon)
  session.line(headline(plan))
  for (const step of plan.steps) {
    printStep(session, step, drift)
    const moved = movedBy(step)
    if (moved !== undefined) printMoved(session, step, moved, horizon.replace(/^\+/, ''))
  }
  for (const { kind, name } of unpruned)
    session.line(`  ${kind} ${visible(name)} is in no file: --prune deletes it`)
  const along = alongWith(plan, present)
  if (along.length > 0) session.line(`  with a changed schedule: ${along.map(visible).join(', ')}`)
}

const comingJson = (coming: Coming | undefined) =>
  coming === undefined
    ? null
    : { count: coming.count, first: coming.first.map((instant) => new Date(instant).toISOString()) }

const documentOf = (session: Session, made: Made, horizon: string) => {
  const { plan, drift, unpruned } = made
  const movedBy = movedIn(session, made, horizon)
  const steps = plan.steps.map((step) => {
    const moved = movedBy(step)
    const runs =
      moved === undefined ? null : { before: comingJson(moved.before), after: comingJson(moved.after) }
    return { ...step, drift: drift(step), runs }
  })
  return { set: plan.set, unchanged: plan.unchanged, steps, unpruned }
}

const defaultHorizon = '+24h'

export const planSync = async (world: World, options: SyncOptions): Promise<void> => {
  const session = new Session(world, options)
  if (options.schema === true) {
    const { syncSchema } = await import('../sync/schema.js')
    return session.document(syncSchema())
  }
  const { horizon = defaultHorizon } = options
  const made = await make(session, options)
  if (session.json) session.document(documentOf(session, made, horizon))
  else print(session, made, horizon)
  if (options.check === true && made.plan.steps.length > 0) {
    throw new Failure(`${counted(made.plan.steps.length, 'step')} to do.`, exitCodes.differs, {
      code: 'not_in_sync',
    })
  }
}

export const applySync = async (world: World, options: SyncOptions): Promise<void> => {
  const session = new Session(world, options)
  const { horizon = defaultHorizon } = options
  const made = await make(session, options)
  const document = session.json ? documentOf(session, made, horizon) : undefined
  if (document === undefined) print(session, made, horizon)
  let done = 0
  const failed = await applySteps(session, made.plan, options.reason, () => {
    done += 1
  })
  const problems = failed.map(({ step, message }) => ({
    path: step.place === null ? `${step.kind} ${step.name}` : at(step.place),
    message,
  }))
  if (document !== undefined) session.document({ ...document, done, refused: problems })
  else
    session.line(
      made.plan.steps.length === 0 ? 'Nothing to do.' : `${done} of ${made.plan.steps.length} done.`,
    )
  if (problems.length > 0)
    throw refused(`${counted(problems.length, 'step')} could not be done.`, { problems })
}

import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { exitCodes, Failure, refused, usage } from '../failure.js'
import { type ImportPlan, planImport } from '../import/celery.js'
import { existingNames } from '../import/existing.js'
import { readFixture } from '../import/fixture.js'
import { type ImportResult, importJson, printImport, type TaskResult, totalsOf } from '../import/report.js'
import { type OnConflict, type Sendable, type SendOptions, type Sent, sendTasks } from '../import/send.js'
import type { MappedTask } from '../import/task-row.js'
import { progressBar } from '../output/progress.js'
import { counted } from '../output/text.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'

export interface ImportOptions extends ServerOptions {
  readonly dryRun?: boolean
  readonly onConflict?: string
}

const policies: readonly OnConflict[] = ['skip', 'replace', 'fail']

const policyOf = (text: string): OnConflict => {
  const policy = policies.find((name) => name === text)
  if (policy) return policy
  throw usage(`--on-conflict must be ${policies.join(', ')}, not "${text}".`)
}

const resultOf = (task: MappedTask, sent: Omit<Sent, 'fate'> & Pick<TaskResult, 'fate'>): TaskResult => ({
  task,
  ...sent,
  notes: task.findings.notes,
})

const refusedHere = (task: MappedTask): TaskResult =>
  resultOf(task, { fate: 'refused', id: null, problems: task.findings.problems })

const sendable = (task: MappedTask): readonly Sendable[] => (task.body ? [{ task, body: task.body }] : [])

/** Names of the plan that are taken already, with a bar when it takes long. */
const taken = async (session: Session, plan: ImportPlan): Promise<ReadonlySet<string>> => {
  const bar = await progressBar(session.world.err, 'looking for names', 1000)
  const names = plan.tasks.flatMap(({ body }) => (body ? [body.name] : []))
  return existingNames(session.server, names, bar.at).finally(() => bar.end())
}

/** What would be done. Without a server, only what the file itself tells. */
const rehearse = async (
  session: Session,
  plan: ImportPlan,
  policy: OnConflict,
): Promise<readonly TaskResult[]> => {
  const names = await taken(session, plan).catch((fault: unknown) => {
    if (!(fault instanceof Failure) || fault.exitCode !== exitCodes.unreachable) throw fault
    session.notice(`${fault.message} Which names are taken was not looked up.`)
    return new Set<string>()
  })
  const conflict = policy === 'skip' ? 'exists' : policy === 'replace' ? 'replaced' : 'refused'
  return plan.tasks.map((task) => {
    if (!task.body) return refusedHere(task)
    const fate = names.has(task.body.name.normalize('NFC')) ? conflict : 'new'
    const message = fate === 'refused' ? { message: 'A task of this name exists.' } : {}
    return resultOf(task, { fate, id: null, problems: [], ...message })
  })
}

const send = async (
  session: Session,
  plan: ImportPlan,
  options: Pick<SendOptions, 'onConflict' | 'keyOf'>,
): Promise<readonly TaskResult[]> => {
  const { world } = session
  const items = plan.tasks.flatMap(sendable)
  if (options.onConflict === 'fail') {
    const names = await taken(session, plan)
    const [first] = names
    if (first !== undefined) {
      throw refused(
        `${counted(names.size, 'task')} of the file exist already, such as "${first}". Nothing was imported.`,
        {
          code: 'name_taken',
          hint: '--on-conflict skip leaves them as they are, replace makes them as in the file.',
        },
      )
    }
  }
  world.claimStop()
  const bar = await progressBar(world.err, 'importing')
  bar.at(0, items.length)
  const sent = await sendTasks(session.server, items, {
    ...options,
    clock: world.clock,
    stop: world.stop,
    progress: (done) => bar.at(done, items.length),
  }).finally(() => bar.end())
  const fates = new Map(items.map(({ task }, index) => [task, sent[index]]))
  return plan.tasks.map((task) => {
    const fate = fates.get(task)
    return fate ? resultOf(task, fate) : refusedHere(task)
  })
}

const finish = (session: Session, result: ImportResult) => {
  if (session.json) session.document(importJson(result))
  else printImport(session, result)
  const totals = totalsOf(result.tasks)
  const unsent = totals.get('unsent') ?? 0
  const bad = totals.get('refused') ?? 0
  if (unsent > 0) {
    const hint = 'Run the same command again: what was created is not created twice.'
    const tasks = counted(unsent, 'task')
    throw session.world.stop.stopped
      ? new Failure(`Stopped: ${tasks} not sent.`, exitCodes.stopped, { code: 'stopped', hint })
      : new Failure(`${tasks} could not be sent to ${session.server.address.url}.`, exitCodes.unreachable, {
          code: 'unreachable',
          hint,
        })
  }
  if (bad > 0)
    throw refused(`${counted(bad, 'task')} of ${result.tasks.length} refused, for the reasons above.`)
}

/** Imports a django-celery-beat fixture, tells what became of each row, and ends with 1 when one was refused. */
export const importCelery = async (world: World, file: string, options: ImportOptions): Promise<void> => {
  const session = new Session(world, options)
  const onConflict = policyOf(options.onConflict ?? 'skip')
  const started = world.clock.elapsed()
  const text = await world.readText(file)
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 32)
  const plan = planImport(readFixture(text), session.now)
  const { namespace, url } = session.server.address
  session.notice(
    `${options.dryRun ? 'Rehearsing' : 'Importing'} ${counted(plan.tasks.length, 'task')} of ${basename(file)} ` +
      `into namespace ${namespace} at ${url}`,
  )
  const tasks = options.dryRun
    ? await rehearse(session, plan, onConflict)
    : await send(session, plan, { onConflict, keyOf: ({ row }) => `celery-${digest}-${row.pk}` })
  const elapsedMs = world.clock.elapsed() - started
  finish(session, { file, dryRun: options.dryRun === true, plan, tasks, elapsedMs })
}

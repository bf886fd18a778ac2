import type { TaskJson } from '@almanac/protocol'
import { invalidValue, usage } from '../failure.js'
import { visible } from '../output/text.js'
import { readTaskSchedule } from '../schedule-text.js'
import { type ServerOptions, Session } from '../session.js'
import { readStrictJson } from '../strict-json.js'
import type { World } from '../world.js'
import { moment } from './tasks-show.js'

export interface CreateOptions extends ServerOptions {
  readonly name: string
  readonly task: string
  readonly schedule: string
  readonly timezone?: string
  readonly seconds?: boolean
  readonly args?: string
  readonly kwargs?: string
  readonly headers?: string
  readonly queue?: string
  readonly exchange?: string
  readonly routingKey?: string
  readonly priority?: string
  readonly expires?: string
  readonly expireSeconds?: string
  readonly oneOff?: boolean
  readonly maxRuns?: string
  readonly startTime?: string
  readonly disabled?: boolean
  readonly description?: string
  readonly label?: readonly string[]
  readonly catchUp?: string
  readonly overlap?: string
  readonly jitter?: string
  readonly maxAttempts?: string
  readonly reason?: string
  readonly ifMissing?: boolean
  readonly replace?: boolean
}

const json = async (option: string, text: string | undefined): Promise<unknown> => {
  if (text === undefined) return undefined
  const read = await readStrictJson(text)
  if (read.ok) return read.value
  const { path, message } = read.fault
  throw invalidValue(`${option} is not JSON as it should be.`, { problems: [{ path, message }] })
}

const number = (option: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  throw usage(`${option} must be a number, not "${text}".`)
}

const instant = (session: Session, option: string, text: string | undefined) =>
  text === undefined ? undefined : new Date(session.instant(option, text)).toISOString()

const labels = (entries: readonly string[] | undefined) =>
  entries &&
  Object.fromEntries(
    entries.map((entry) => {
      const [key = '', ...value] = entry.split('=')
      return [key, value.join('=')]
    }),
  )

/** Only what was said: the server fills in its defaults and checks everything. */
const bodyOf = async (session: Session, options: CreateOptions) => {
  const body = {
    name: options.name,
    task: options.task,
    schedule: await readTaskSchedule(options.schedule, {
      ...(options.timezone === undefined ? {} : { timezone: options.timezone }),
      seconds: options.seconds === true,
    }),
    args: await json('--args', options.args),
    kwargs: await json('--kwargs', options.kwargs),
    headers: await json('--headers', options.headers),
    queue: options.queue,
    exchange: options.exchange,
    routingKey: options.routingKey,
    priority: number('--priority', options.priority),
    expires: instant(session, '--expires', options.expires),
    expireSeconds: number('--expire-seconds', options.expireSeconds),
    oneOff: options.oneOff,
    maxRuns: number('--max-runs', options.maxRuns),
    startTime: instant(session, '--start-time', options.startTime),
    enabled: options.disabled ? false : undefined,
    description: options.description,
    labels: labels(options.label),
    catchUp: options.catchUp === undefined ? undefined : { policy: options.catchUp },
    overlap: options.overlap,
    jitterSeconds: number('--jitter', options.jitter),
    maxAttempts: number('--max-attempts', options.maxAttempts),
    reason: options.reason,
  }
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
}

const send = async (session: Session, options: CreateOptions) => {
  const body = await bodyOf(session, options)
  if (!options.ifMissing && !options.replace) {
    return session.server.ask<TaskJson>('/tasks', { method: 'POST', body })
  }
  return session.server.ask<TaskJson>(`/tasks/by-name/${encodeURIComponent(options.name)}`, {
    method: 'PUT',
    body,
    ...(options.ifMissing ? { headers: { 'if-none-match': '*' } } : {}),
  })
}

export const createTask = async (world: World, options: CreateOptions): Promise<void> => {
  if (options.ifMissing && options.replace) throw usage('--if-missing and --replace exclude each other.')
  const session = new Session(world, options)
  const { status, body: task } = await send(session, options)
  if (session.json) return session.document(task)
  const { bold } = world.out.paint
  const verb = status === 201 ? 'created' : options.ifMissing ? 'exists already, left as it is' : 'replaced'
  session.line(`${bold(visible(task.name))}: ${verb}, ${visible(task.scheduleText)}`)
  session.line(`next run ${moment(session, task.nextRunAt, 'none')}, id ${task.id}`)
}

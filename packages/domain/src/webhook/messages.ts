import type { RunStatus } from '../run/types.js'
import type { WebhookSpec } from './types.js'

/** Every type of message that can be asked for. Standard Webhooks: words, from the subject on, with points between. */
export const messageTypes = [
  'task.created',
  'task.changed',
  'task.enabled',
  'task.disabled',
  'task.triggered',
  'task.backfill_requested',
  'task.history_reset',
  'task.quarantined',
  'task.deleted',
  'task.restored',
  'schedule.created',
  'schedule.changed',
  'schedule.deleted',
  'calendar.created',
  'calendar.changed',
  'calendar.deleted',
  'change.announced',
  'run.queued',
  'run.started',
  'run.retrying',
  'run.succeeded',
  'run.failed',
  'run.expired',
  'run.cancelled',
] as const
export type MessageType = (typeof messageTypes)[number]

const known: ReadonlySet<string> = new Set(messageTypes)
const isMessageType = (type: string): type is MessageType => known.has(type)

/** What stands for all types of one subject. */
const families: ReadonlySet<string> = new Set(messageTypes.map((type) => `${subjectOfType(type)}.*`))

function subjectOfType(type: string): string {
  return type.slice(0, type.indexOf('.'))
}

/** Whether it may stand among the events of a webhook. */
export const isEventPattern = (text: string): boolean => known.has(text) || families.has(text)

/** Whether the pattern asks for messages about runs. */
export const isOfRuns = (pattern: string): boolean => subjectOfType(pattern) === 'run'

/** Whether anything is asked for that is about runs. */
export const wantsRuns = ({ events }: Pick<WebhookSpec, 'events'>): boolean => events.some(isOfRuns)

/** Undefined: nobody is told of events of this type. */
export function messageTypeOf(eventType: string): MessageType | undefined {
  const words = eventType.replace(/(?<=[a-z])[A-Z]/g, '_$&').toLowerCase()
  const type = words.replace('_', '.')
  return isMessageType(type) ? type : undefined
}

/** What a run's change of status is told as. */
export function runMessageType(status: RunStatus, attempt: number): MessageType {
  if (status === 'running') return 'run.started'
  if (status === 'queued') return attempt === 0 ? 'run.queued' : 'run.retrying'
  return `run.${status}`
}

/** What a message is about; of a task with its labels, as they are now. */
export interface MessageSubject {
  readonly type: MessageType
  readonly task: { readonly taskId: string; readonly labels: { readonly [key: string]: string } } | null
}

/** Whether the webhook is to be told. */
export function wants({ events, tasks, labels }: WebhookSpec, { type, task }: MessageSubject): boolean {
  if (!events.includes(type) && !events.includes(`${subjectOfType(type)}.*`)) return false
  const wanted = Object.entries(labels)
  if (tasks.length === 0 && wanted.length === 0) return true
  if (task === null || (tasks.length > 0 && !tasks.includes(task.taskId))) return false
  return wanted.every(([key, value]) => Object.hasOwn(task.labels, key) && task.labels[key] === value)
}

import {
  type MessageType,
  messageTypeOf,
  type RecordedEvent,
  type RunRecord,
  runMessageType,
  type TaskState,
  type Webhook,
  wants,
} from '@almanac/domain'
import type { LeasedRun } from '../ports/run-store.js'
import type { RunNews, WebhookMessage } from '../ports/webhook.js'
import type { Pending } from './window.js'

/** What streams begin with whose events are told. */
export const toldStreams = ['task-', 'schedule-', 'calendar-', 'cluster'] as const

type TaskOf = (taskId: string) => Pick<TaskState, 'spec'> | undefined

const fresh = { attempts: 0, firstAt: null, notBefore: 0, isSending: false }

/** The message about an event, if the webhook wants it. */
export function messageOfEvent(webhook: Webhook, event: RecordedEvent, taskOf: TaskOf): Pending | undefined {
  const type = messageTypeOf(event.type)
  if (type === undefined || event.metadata.namespace !== webhook.namespace) return undefined
  const { stream, revision, position } = event
  const taskId = stream.startsWith('task-') ? stream.slice('task-00-'.length) : null
  if (!isWanted(webhook, type, taskId, taskOf)) return undefined
  const at = event.metadata.at
  return {
    message: { id: `msg_${event.id}`, type, at, content: { kind: 'event', event } },
    source: { kind: 'event', stream, revision },
    subject: taskId ?? stream,
    feed: 'events',
    place: position,
    ...fresh,
  }
}

/** The message about a run, if the webhook wants it. What happened before the webhook was there is not told. */
export function messageOfRun(webhook: Webhook, news: RunNews, taskOf: TaskOf): Pending | undefined {
  const { run, place, at } = news
  const { command, status, attempt } = run
  const type = runMessageType(status, attempt)
  if (command.namespace !== webhook.namespace || at < webhook.createdAt) return undefined
  if (!isWanted(webhook, type, command.taskId, taskOf)) return undefined
  return {
    message: { ...runMessage(run, type), at },
    source: { kind: 'run', runId: command.runId, status, attempt },
    subject: command.taskId,
    feed: 'runs',
    place,
    ...fresh,
  }
}

export const runMessage = (run: RunRecord, type: MessageType): Omit<WebhookMessage, 'at'> => ({
  id: `msg_${run.command.runId}_${type.slice('run.'.length)}_${run.attempt}`,
  type,
  content: { kind: 'run', run },
})

/** The run that a receiver is to do. Each time that it is handed out is a message of its own. */
export const commandMessage = (leased: LeasedRun): WebhookMessage => {
  const { command, attempt, startedAt } = leased.run
  return {
    id: `msg_${command.runId}_${attempt}`,
    type: 'run.command',
    at: startedAt ?? command.emittedAt,
    content: { kind: 'command', leased },
  }
}

function isWanted(webhook: Webhook, type: MessageType, taskId: string | null, taskOf: TaskOf): boolean {
  const labels = taskId === null ? {} : (taskOf(taskId)?.spec.labels ?? {})
  return wants(webhook.spec, { type, task: taskId === null ? null : { taskId, labels } })
}

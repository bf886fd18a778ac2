import type { Instant } from '@almanac/recurrence'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

/** Slots are fixed for ever (they name streams); partitions group them and may differ between clusters. */
export const slots = 256

const hex = (text: string) => bytesToHex(sha256(utf8ToBytes(text)))

/**
 * SHA-256 of a text in UTF-8, as 64 hex digits; a lone surrogate counts as U+FFFD. There is one such function, but the
 * machine may have a faster way to compute it than pure code: where it counts, it is handed in.
 */
export type Digest = (text: string) => string

export const digestOf: Digest = hex

/** 0 to 255: the first byte of the hash of the task id. */
export const slotOf = (taskId: string): number => Number.parseInt(hex(taskId).slice(0, 2), 16)

export const partitionOf = (taskId: string, partitions: number): number => slotOf(taskId) % partitions

/**
 * The identity of an occurrence's run: the same on every node and in every replay. No node, term or revision
 * in it. 32 hex digits.
 */
export const runIdOf = (
  cluster: string,
  namespace: string,
  taskId: string,
  scheduledAt: Instant,
  digest: Digest = digestOf,
): string => digest(`run|${cluster}|${namespace}|${taskId}|${scheduledAt}`).slice(0, 32)

/** The identity of a run that a request made (trigger, backfill): the request's event is part of it. */
export const requestedRunIdOf = (
  cluster: string,
  namespace: string,
  taskId: string,
  scheduledAt: Instant,
  eventId: string,
): string => hex(`run|${cluster}|${namespace}|${taskId}|${scheduledAt}|${eventId}`).slice(0, 32)

export const taskStream = (taskId: string): string =>
  `task-${slotOf(taskId).toString(16).padStart(2, '0')}-${taskId}`
/** The slot is in the name: no need to hash the id again. */
export const slotOfTaskStream = (stream: string): number => Number.parseInt(stream.slice(5, 7), 16)
export const scheduleStream = (scheduleId: string): string => `schedule-${scheduleId}`
export const calendarStream = (calendarId: string): string => `calendar-${calendarId}`
export const nameStream = (namespace: string, name: string): string =>
  `name-${namespace}-${hex(name.normalize('NFC')).slice(0, 32)}`
export const clusterStream = 'cluster'
/** Of the API keys of all namespaces. */
export const keysStream = 'keys'
/** Of the webhooks of all namespaces. */
export const webhooksStream = 'webhooks'
/** How far one of them has been served, in a cluster. */
export const webhookStream = (webhookId: string): string => `webhook-${webhookId}`

export interface Subject {
  readonly kind: 'task' | 'schedule' | 'calendar'
  readonly id: string
}

/** What a stream is of; undefined: of none of these. */
export function subjectOf(stream: string): Subject | undefined {
  const task = /^task-[0-9a-f]{2}-(.*)$/.exec(stream)?.[1]
  if (task !== undefined) return { kind: 'task', id: task }
  const [, kind, id] = /^(schedule|calendar)-(.*)$/.exec(stream) ?? []
  return kind === undefined || id === undefined ? undefined : { kind: kind as 'schedule' | 'calendar', id }
}

/** Shared schedules and calendars are known by name: the id is a hash of it, so the stream keeps names unique. */
export const scheduleIdOf = (namespace: string, name: string): string =>
  hex(`schedule|${namespace}|${name.normalize('NFC')}`).slice(0, 26)
export const calendarIdOf = (namespace: string, name: string): string =>
  hex(`calendar|${namespace}|${name.normalize('NFC')}`).slice(0, 26)

import { eventHash, type RecordedEvent, taskStream } from '@almanac/domain'
import type { Findings } from './findings.js'
import type { Seen } from './seen.js'

/** The stream's last event so far. */
interface Tip {
  readonly revision: number
  readonly hash: string
  readonly at: number
}

/** Positions grow, streams have no gap, each event holds the hash of the one before, and time never goes back. */
export function checkEvents(events: readonly RecordedEvent[], findings: Findings): void {
  const tips = new Map<string, Tip>()
  let position = 0
  for (const event of events) {
    findings.checked('tampered')
    const { stream, revision, metadata } = event
    const tip = tips.get(stream) ?? { revision: -1, hash: '', at: Number.NEGATIVE_INFINITY }
    const hash = storedHash(event)
    const faults = [
      event.position > position ? '' : `stands behind position ${position}`,
      revision === tip.revision + 1 ? '' : `follows revision ${tip.revision}`,
      hash === event.hash ? '' : 'has another content than its hash says',
      metadata.previousHash === tip.hash ? '' : 'does not hold the hash of the event before it',
      metadata.at >= tip.at ? '' : 'is older than the event before it',
    ].filter((fault) => fault !== '')
    if (faults.length > 0) {
      const what = `event ${event.type} at position ${event.position} (${stream}, revision ${revision})`
      const where = { at: metadata.at, ...taskOf(stream) }
      findings.violated('tampered', `${what} ${faults.join(', ')}`, where)
    }
    position = Math.max(position, event.position)
    tips.set(stream, { revision, hash: event.hash, at: Math.max(tip.at, metadata.at) })
  }
}

/** The hash as it was made: of the type as stored, before a reader marked a newer form as `Type@version`. */
const storedHash = (event: RecordedEvent): string =>
  eventHash({ ...event, type: event.type.replace(/@\d+$/, '') })

const taskOf = (stream: string) =>
  stream.startsWith('task-') ? { taskId: stream.slice('task-00-'.length) } : {}

/** What was answered with success is in the log. */
export function checkAnswers({ answers, events }: Seen, findings: Findings): void {
  const byPosition = new Map(events.map((event) => [event.position, event]))
  for (const { position, command, namespace, taskId, answeredAt } of answers) {
    findings.checked('lost-command')
    const event = byPosition.get(position)
    const where = { at: answeredAt, ...(taskId === null ? {} : { taskId }) }
    const what = `${command} was answered with position ${position}`
    if (event === undefined) {
      findings.violated('lost-command', `${what}, where there is no event`, where)
    } else if (taskId !== null && event.stream !== taskStream(taskId)) {
      findings.violated('lost-command', `${what}, where the event is of ${event.stream}`, where)
    } else if (event.metadata.namespace !== namespace) {
      findings.violated('lost-command', `${what}, where the event is of another namespace`, where)
    }
  }
}

/**
 * One key, one command: its events stand side by side in one stream, each of another type, made at one time. (A name's
 * reservation carries no key.)
 */
export function checkKeys(events: readonly RecordedEvent[], findings: Findings): void {
  const uses = new Map<string, RecordedEvent[]>()
  for (const event of events) {
    const { namespace, idempotencyKey } = event.metadata
    if (idempotencyKey === undefined) continue
    const key = JSON.stringify([namespace, idempotencyKey])
    const earlier = uses.get(key)
    if (earlier === undefined) {
      findings.checked('doubled-command')
      uses.set(key, [event])
      continue
    }
    if (!isSameCommand(earlier, event)) {
      const first = earlier[0]?.position ?? 0
      findings.violated(
        'doubled-command',
        `key ${JSON.stringify(idempotencyKey)} made an event at position ${first} and another at ${event.position}`,
        { at: event.metadata.at, ...taskOf(event.stream) },
      )
    }
    earlier.push(event)
  }
}

function isSameCommand(earlier: readonly RecordedEvent[], event: RecordedEvent): boolean {
  const last = earlier.at(-1)
  return (
    last !== undefined &&
    event.stream === last.stream &&
    event.revision === last.revision + 1 &&
    event.metadata.at === last.metadata.at &&
    earlier.every(({ type }) => type !== event.type)
  )
}

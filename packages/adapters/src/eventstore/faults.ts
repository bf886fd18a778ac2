import { outcomeUnknown, PortFault, unavailable } from '@almanac/engine'
import { AccessRefused } from '../system/index.js'
import { CallEnded } from './append-call.js'

/** Codes of gRPC that mean something here. */
const code = { cancelled: 1, deadlineExceeded: 4, permissionDenied: 7, unavailable: 14, unauthenticated: 16 }

interface CallError {
  readonly code?: number
  readonly details?: string
  readonly message?: string
  readonly metadata?: { get(key: string): unknown[] }
}

const asCallError = (error: unknown): CallError =>
  typeof error === 'object' && error !== null ? (error as CallError) : {}

const textOf = (error: unknown): string => {
  const { details, message } = asCallError(error)
  return details !== undefined && details !== '' ? details : (message ?? String(error))
}

/** Only the text goes on as the cause: no type of the client leaves the adapter. */
const causeOf = (error: unknown): Error => new Error(textOf(error))

const exceptionOf = (error: unknown): string => `${asCallError(error).metadata?.get('exception')[0] ?? ''}`

const saysNotLeader = (error: unknown): boolean => exceptionOf(error) === 'not-leader'

/** The server sends the append on to the leader. */
export const isNotLeader = (error: unknown): boolean =>
  error instanceof CallEnded && saysNotLeader(error.error)

const isDenied = (error: unknown): boolean => {
  const { code: given } = asCallError(error)
  return given === code.permissionDenied || given === code.unauthenticated
}

/**
 * True when no connection was there to send anything over: in gRPC's words, since it gives all that is wrong with a
 * connection the same code.
 */
const neverConnected = (error: unknown): boolean =>
  /^(No connection established|Name resolution failed|Failed to discover)/.test(textOf(error))

/** gRPC has only a text for what TLS has ended with: OpenSSL's, or Node's. */
const isUntrusted = (error: unknown): boolean =>
  neverConnected(error) && /\bcertificate\b|\baltnames\b|wrong version number/.test(textOf(error))

/** Nothing was done. */
function notDone(name: string, error: unknown): PortFault {
  const cause = causeOf(error)
  if (isDenied(error)) {
    const message = `The event store ${name} does not let this user in: ${cause.message}`
    return new AccessRefused('credentials', message, cause)
  }
  const message = `The event store ${name} can't be reached: ${cause.message}`
  return isUntrusted(error) ? new AccessRefused('certificate', message, cause) : unavailable(message, cause)
}

/** The server that was asked does not lead; the client has been told who does. */
export class LeaderElsewhere extends PortFault {
  constructor(message: string) {
    super('unavailable', message, true)
  }
}

/** A read that failed changed nothing. */
export function readFault(name: string, error: unknown): PortFault {
  if (error instanceof PortFault) return error
  if (saysNotLeader(error)) return new LeaderElsewhere(`The event store ${name} sends us on to its leader.`)
  return notDone(name, error)
}

/** The call over which an append had been sent has ended without its answer. */
export function appendFault(name: string, fault: unknown): PortFault {
  if (!(fault instanceof CallEnded)) throw fault
  const { error, wasAlone } = fault
  const isRefused = isDenied(error) || (wasAlone && saysNotLeader(error))
  if (isRefused || neverConnected(error)) return notDone(name, error)
  return outcomeUnknown(
    `The connection to the event store ${name} broke before the answer: ${textOf(error)}`,
    causeOf(error),
  )
}

/** The server has refused the append, and will go on refusing it. */
export const refusedForGood = (message: string): PortFault => new PortFault('unavailable', message, false)

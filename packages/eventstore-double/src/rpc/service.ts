import { Metadata, type ServerErrorResponse, status } from '@grpc/grpc-js'
import type { Access } from '../access.js'
import type { Faults } from '../faults.js'
import type { Log } from '../store/log.js'
import { notLeader, Refusal } from './refusals.js'

/** What the calls of the server work on. */
export interface ServiceParts {
  readonly log: Log
  readonly faults: Faults
  readonly access: Access
  /** Bytes; an append above it is refused. */
  readonly maxAppendSize: number
  /** An append that is not whole after this is given up. */
  readonly writeTimeoutMs: number
  /** Added to every position on the wire. */
  readonly positionOffset: bigint
}

/** Refuses what this server may not answer because another one leads. */
export function checkLeader({ faults }: ServiceParts, metadata: Metadata): void {
  const elsewhere = faults.leader
  const isAsked = metadata.get('requires-leader').some((value) => `${value}`.toLowerCase() === 'true')
  if (elsewhere !== null && isAsked) throw notLeader(elsewhere.host, elsewhere.port)
}

/** An error as gRPC sends it. What the double did not foresee is its own fault, and is shown as such. */
export function asAnswer(error: unknown): ServerErrorResponse & { code: number } {
  if (error instanceof Refusal) {
    return {
      name: error.name,
      message: error.details,
      code: error.code,
      details: error.details,
      metadata: error.metadata,
    }
  }
  const details = `The double failed: ${error instanceof Error ? error.stack : error}`
  return { name: 'Error', message: details, code: status.INTERNAL, details, metadata: new Metadata() }
}

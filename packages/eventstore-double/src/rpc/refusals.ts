import { Metadata, status } from '@grpc/grpc-js'

/** A call that ends with an error, in the words and trailers of the server. */
export class Refusal extends Error {
  readonly code: number
  readonly details: string
  readonly metadata: Metadata
  constructor(code: number, details: string, trailers: Readonly<Record<string, string>> = {}) {
    super(details)
    this.name = 'Refusal'
    this.code = code
    this.details = details
    this.metadata = new Metadata()
    for (const [key, value] of Object.entries(trailers)) this.metadata.add(key, value)
  }
}

export const accessDenied = (): Refusal =>
  new Refusal(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' })

export const badCredentials = (): Refusal =>
  new Refusal(status.UNAUTHENTICATED, 'The user name or the password is wrong.')

export const notLeader = (host: string, port: number): Refusal =>
  new Refusal(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': host,
    'leader-endpoint-port': `${port}`,
  })

export const notReady = (): Refusal => new Refusal(status.UNAVAILABLE, 'Server Is Not Ready')

export const timedOut = (what: string): Refusal => new Refusal(status.ABORTED, `Operation timed out: ${what}`)

export const streamDeleted = (stream: string): Refusal =>
  new Refusal(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  })

export const wrongVersion = (stream: string, expected: number, actual: number): Refusal =>
  new Refusal(
    status.FAILED_PRECONDITION,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, expected: ${expected}, actual: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': `${expected}`,
      'actual-version': actual < 0 ? '' : `${actual}`,
    },
  )

export const appendTooLarge = (limit: number): Refusal =>
  new Refusal(status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': `${limit}`,
  })

export const metadataMissing = (property: string): Refusal =>
  new Refusal(status.INVALID_ARGUMENT, `Required Metadata Property '${property}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  })

export const invalid = (what: string): Refusal => new Refusal(status.INVALID_ARGUMENT, what)

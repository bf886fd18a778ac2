/** The part of redlock 5.0.0-beta.2 that is used. Its own declarations are not in its exports (TS7016). */
declare module 'redlock' {
  /** What it asks of a connection: ioredis has it, and so has anything that watches over one. */
  export interface LockClient {
    evalsha(hash: string, keys: number, values: (string | number)[]): Promise<unknown>
    eval(script: string, keys: number, values: (string | number)[]): Promise<unknown>
  }

  export interface ExecutionStats {
    readonly votesFor: ReadonlySet<LockClient>
    readonly votesAgainst: ReadonlyMap<LockClient, Error>
  }

  export class ResourceLockedError extends Error {}

  export class ExecutionError extends Error {
    readonly attempts: readonly Promise<ExecutionStats>[]
  }

  export class Lock {
    readonly expiration: number
    constructor(
      redlock: Redlock,
      resources: string[],
      value: string,
      attempts: readonly Promise<ExecutionStats>[],
      expiration: number,
    )
    release(): Promise<unknown>
  }

  export interface Settings {
    /** Further attempts after the first. */
    readonly retryCount: number
    /** Between attempts, in milliseconds. */
    readonly retryDelay: number
  }

  export default class Redlock {
    constructor(
      clients: Iterable<LockClient>,
      settings?: Partial<Settings>,
      /** As a function only: a plain text is let fall without a word. */
      scripts?: { readonly extendScript?: (own: string) => string },
    )
    acquire(resources: string[], ttlMs: number): Promise<Lock>
    extend(lock: Lock, ttlMs: number): Promise<Lock>
    release(lock: Lock): Promise<unknown>
  }
}

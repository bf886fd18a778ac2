import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Application, Clock, Random, Telemetry } from '@almanac/engine'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { AccessOptions } from './access/access.js'
import type { RateOptions } from './access/rate-options.js'
import type { CommandTraces } from './command-traces.js'

export type Api = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** One line for each answered request. */
export interface AccessLine {
  readonly at: string
  readonly method: string
  readonly route: string
  readonly url: string
  readonly status: number
  readonly ms: number
  readonly requestId: string
  readonly actor: string
  /** Of the command's trace, or of the caller's; left out: there is none. */
  readonly traceId?: string
}

export interface ApiOptions {
  readonly app: Application
  readonly clock: Clock
  /** Who is let in. */
  readonly access: AccessOptions
  /** How often callers may ask. Left out: as often as they like. */
  readonly rates?: RateOptions
  /** Chance that nobody can guess, for the secrets of keys. */
  readonly random: Pick<Random, 'token'>
  /** Prefix of request ids, unguessable and new at each start; it is part of every correlation id. */
  readonly instanceToken: string
  readonly version: string
  /** False while the node starts or stops: then only health, metrics and pages are answered. Default: always true. */
  readonly ready?: () => boolean
  /** Called once per answered request. Left out: no access log. */
  readonly accessLog?: (line: AccessLine) => void
  /** Called with what went wrong inside; the client only gets the code `internal`. */
  readonly onInternalError?: (error: unknown, request: { readonly id: string; readonly url: string }) => void
  /** Told of each request; commands are steps of traces. Left out: nothing is told. */
  readonly telemetry?: Telemetry
  /** The page of metrics, in the Prometheus text format. Left out: there is no such page. */
  readonly metrics?: () => Promise<string>
}

/** What every route works with. */
export interface Host {
  readonly app: Application
  readonly clock: Clock
  readonly traces: CommandTraces
  /** True once the server began to close: long waits end. */
  closing(): boolean
}

export const namespacePath = '/v1/namespaces/:namespace'

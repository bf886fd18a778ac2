import type { Json } from '@almanac/domain'

export type JsonObject = { readonly [key: string]: Json }

/** The body that creates one task, as the HTTP API takes it. */
export interface TaskBody {
  readonly name: string
  readonly task: string
  readonly schedule: unknown
  readonly args: readonly Json[]
  readonly kwargs: JsonObject
  readonly headers: JsonObject
  readonly queue: string | null
  readonly exchange: string | null
  readonly routingKey: string | null
  readonly priority: number | null
  readonly expires: string | null
  readonly expireSeconds: number | null
  readonly oneOff: boolean
  readonly startTime: string | null
  readonly enabled: boolean
  readonly description: string
  readonly imported?: {
    readonly lastRunAt: string | null
    readonly totalRunCount: number
    readonly anchor: string
  }
}

import { spanIdOf, type Traceparent, traceIdOf, traceparentOf } from '@almanac/domain'
import type { Clock } from '@almanac/engine'

export const logLevels = ['debug', 'info', 'warn', 'error', 'off'] as const
export type LogLevel = (typeof logLevels)[number]

/** Undefined: there is no level of that name. */
export const logLevelOf = (name: string | undefined): LogLevel | undefined =>
  logLevels.find((level) => level === (name?.trim().toLowerCase() || 'info'))

export interface LogFields {
  /** What the line belongs to: written as `trace_id` and `span_id`. */
  readonly traceparent?: Traceparent | undefined
  /** What went wrong: written with its stack and its causes. */
  readonly error?: unknown
  readonly [name: string]: unknown
}

/** Lines of JSON, one for each thing that happened. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

interface LoggerParts {
  readonly level: LogLevel
  readonly node: string
  readonly cluster: string
  readonly clock: Pick<Clock, 'now'>
  /** Takes one line, its newline included. */
  readonly write: (line: string) => void
}

/**
 * What may hold a secret, or what users work with, is left out by its name; a password in an address is struck out
 * wherever it stands. Nothing here throws: a line that can't be written is worth less than what it tells of.
 */
export function createLogger(parts: LoggerParts): Logger {
  const least = logLevels.indexOf(parts.level)
  const at =
    (level: Exclude<LogLevel, 'off'>) =>
    (message: string, { traceparent, error, ...fields }: LogFields = {}): void => {
      if (logLevels.indexOf(level) < least) return
      const context = traceparentOf(traceparent)
      const line = {
        time: new Date(parts.clock.now()).toISOString(),
        level,
        message: withoutPasswords(message),
        node: parts.node,
        cluster: parts.cluster,
        ...(context === undefined ? {} : { trace_id: traceIdOf(context), span_id: spanIdOf(context) }),
        ...openFields(fields),
        ...(error === undefined ? {} : { error: errorFields(error, 0) }),
      }
      parts.write(`${JSON.stringify(line)}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

const closedName =
  /pass(word|wd)?$|secret|token|authorization|cookie|credential|^key$|apikey|^k?w?args$|^headers$/i
const ownNames = new Set(['time', 'level', 'message', 'node', 'cluster', 'trace_id', 'span_id'])

const withoutPasswords = (text: string): string => text.replace(/(:\/\/[^\s:/@]*:)[^\s@/]+@/g, '$1***@')

function openFields(fields: { readonly [name: string]: unknown }): { readonly [name: string]: unknown } {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      closedName.test(name) || ownNames.has(name) ? [] : [[name, open(value, 0)]],
    ),
  )
}

/** As JSON, three levels deep. */
function open(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return withoutPasswords(value)
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function')
    return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return errorFields(value, 0)
  if (depth >= 3) return '…'
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => open(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) =>
      closedName.test(name) ? [] : [[name, open(part, depth + 1)]],
    ),
  )
}

const maxCauses = 4

function errorFields(error: unknown, depth: number): unknown {
  if (!(error instanceof Error)) return { message: open(error, 0) }
  const code = 'code' in error ? error.code : undefined
  return {
    type: error.name,
    message: withoutPasswords(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: withoutPasswords(error.stack) }),
    ...(error.cause === undefined || depth >= maxCauses
      ? {}
      : { cause: errorFields(error.cause, depth + 1) }),
  }
}

import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import type { LogRecord } from '../store/record.js'
import { invalid } from './refusals.js'

/** Events that the server takes in one step when the request names no window. */
export const readBatch = 32

export interface RecordFilter {
  passes(record: LogRecord): boolean
  /** Considered events between two checkpoints. */
  readonly checkpointInterval: number
}

/** What a read or a subscription of $all lets through. */
export function filterOf(options: Streams.ReadReq.Options.FilterOptions): RecordFilter {
  const byStream = options.getStreamIdentifier()
  const expression = byStream ?? options.getEventType()
  if (expression === undefined) throw invalid('A filter without an expression.')
  if (!options.hasMax() && !options.hasCount()) throw invalid('A filter without a window.')
  const matches = matcherOf(expression)
  const multiplier = options.getCheckpointintervalmultiplier()
  const window = options.hasMax() ? options.getMax() : readBatch
  return {
    passes: (record) => matches(byStream === undefined ? record.type : record.stream),
    checkpointInterval: multiplier * window,
  }
}

function matcherOf(expression: Streams.ReadReq.Options.FilterOptions.Expression): (name: string) => boolean {
  const regex = expression.getRegex()
  if (regex !== '') {
    const compiled = new RegExp(regex)
    return (name) => compiled.test(name)
  }
  const prefixes = expression.getPrefixList()
  if (prefixes.length === 0) throw invalid('A filter without a prefix.')
  return (name) => prefixes.some((prefix) => name.startsWith(prefix))
}

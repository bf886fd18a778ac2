import { type Static, Type } from 'typebox'
import { ProblemJson } from './problem.js'
import { asOf, closed, count, minPosition, nullOr, oneOf, text } from './shape.js'

export const exchangeKinds = ['calendar', 'schedule', 'task'] as const
export const importModes = ['put', 'ensure', 'create'] as const

/** Bytes of one line of an import. */
export const maxLineBytes = 256 * 1024

export const ExportQuery = closed({ asOf, minPosition })

export const ImportQuery = closed({
  mode: Type.Optional(
    oneOf(importModes, {
      description:
        'What becomes of names that exist: `put` (default) makes them as the line says, `ensure` leaves them, ' +
        '`create` refuses.',
    }),
  ),
  reason: Type.Optional(text('Why; kept in the history.', 500)),
})

/** A line of the answer: how far it has got, or what is wrong with one line, or at the end what it came to. */
export const ImportProgress = Type.Object({
  lines: count('Lines that were read.'),
  created: count('Made anew.'),
  existing: count('That there were: made as the line says, or left.'),
  failed: count('Lines that were refused. Each has had a line of its own.'),
})
export type ImportProgress = Static<typeof ImportProgress>

export const ImportLine = Type.Object({
  progress: Type.Optional(ImportProgress),
  problem: Type.Optional(
    Type.Object({
      line: count('Of the file, from 1.', 1),
      kind: nullOr(Type.String()),
      name: nullOr(Type.String()),
      problem: ProblemJson,
    }),
  ),
  done: Type.Optional(
    Type.Object({
      ...ImportProgress.properties,
      correlationId: text('Of all that it changed.'),
      position: count('Of the last change.'),
    }),
  ),
})
export type ImportLine = Static<typeof ImportLine>

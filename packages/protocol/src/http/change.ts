import { type Static, Type } from 'typebox'
import { closed, count, freeObject, instant, listOf, minPosition, nullOr, reason, text } from './shape.js'

export const FieldChange = Type.Object({
  field: Type.String(),
  from: Type.Optional(Type.Unknown()),
  to: Type.Unknown(),
})
export type FieldChange = Static<typeof FieldChange>

export const EventJson = Type.Object({
  position: count('Place in the whole log.'),
  stream: Type.String(),
  revision: count('Place in the stream.'),
  id: Type.String(),
  type: Type.String(),
  version: count('Version of the event’s data.'),
  at: instant('When.'),
  namespace: Type.String(),
  actor: text('Who.'),
  reason: nullOr(text('Why.')),
  correlationId: Type.String(),
  causationId: nullOr(Type.String()),
  traceId: Type.Optional(text('Of the trace that its command belongs to. There only when it was traced.')),
  changes: Type.Array(FieldChange, {
    description: 'What changed; `from` is left out where it is not known.',
  }),
  data: freeObject('The event as it was stored.'),
})
export type EventJson = Static<typeof EventJson>

export const HistoryJson = listOf(EventJson)
export const HistoryQuery = closed({ minPosition })

export const ChangesQuery = closed({
  after: Type.Optional(count('Events after this position; 0 from the first; left out: from now on.')),
})

export const MarkerJson = Type.Object({
  ident: Type.Literal(1),
  lastUpdate: nullOr(instant('When anything of the namespace last changed.')),
  position: count('Position of that change; 0: never.'),
})

export const AnnounceBody = closed({
  note: Type.Optional(Type.String({ maxLength: 500, description: 'What was changed.' })),
  reason,
})
export type AnnounceBody = Static<typeof AnnounceBody>
export const MarkerQuery = closed({ minPosition })

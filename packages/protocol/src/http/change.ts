import { type Static, Type } from 'typebox'
import {
  asOf,
  closed,
  count,
  freeObject,
  instant,
  listOf,
  minPosition,
  nullOr,
  oneOf,
  pageQuery,
  reason,
  text,
} from './shape.js'

export const FieldChange = Type.Object({
  path: text('The field: `queue`, `labels.team`, `schedule.crontab.hour`.'),
  before: Type.Optional(
    Type.Unknown({ description: 'Left out: there was none, or it is not known. Null: none.' }),
  ),
  after: Type.Unknown({ description: 'Null: none.' }),
})
export type FieldChange = Static<typeof FieldChange>

export const eventKinds = ['task', 'schedule', 'calendar', 'key', 'webhook', 'cluster'] as const
export type EventKind = (typeof eventKinds)[number]

export const EventJson = Type.Object({
  position: count('Place in the whole log.'),
  stream: Type.String(),
  revision: count('Place in the stream.'),
  id: Type.String(),
  type: Type.String(),
  version: count('Version of the event’s data.'),
  subject: Type.Object(
    {
      kind: oneOf(eventKinds),
      id: Type.String(),
      name: nullOr(text('Its name after the event; null where that is not known.')),
    },
    { description: 'What it is about.' },
  ),
  at: instant('When.'),
  namespace: Type.String(),
  actor: text('Who.'),
  reason: nullOr(text('Why.')),
  correlationId: text('The same for all events of one request.'),
  causationId: nullOr(text('Id of the event that this one follows from, or takes back.')),
  traceId: Type.Optional(text('Of the trace that its command belongs to. There only when it was traced.')),
  undoes: Type.Optional(count('In a history: the revision that it takes back.')),
  text: text('Who did what, and why, as a sentence.'),
  changes: Type.Array(FieldChange, {
    description: 'What changed, field by field. Of a creation: what is not the default.',
  }),
  data: freeObject('The event as it was stored.'),
})
export type EventJson = Static<typeof EventJson>

export const HistoryJson = listOf(EventJson)
export const HistoryQuery = closed({ ...pageQuery, asOf, minPosition })

export const AuditJson = Type.Object({
  items: Type.Array(EventJson),
  nextCursor: nullOr(
    text(
      'Send it back as `cursor` for the next page, also after a page with few items or none; null: that is all.',
    ),
  ),
  position: count('Everything up to here has been looked at: ask again with `after` for what came since.'),
})
export const AuditQuery = closed({
  actor: Type.Optional(text('Exactly this actor.', 400)),
  kind: Type.Optional(
    Type.Array(oneOf(eventKinds), {
      maxItems: eventKinds.length,
      description: 'Repeat for more: any of them.',
    }),
  ),
  type: Type.Optional(
    Type.Array(Type.String({ maxLength: 100 }), {
      maxItems: 32,
      description: 'Type of the event, such as `TaskDisabled`. Repeat for more: any of them.',
    }),
  ),
  task: Type.Optional(text('Id of a task.', 64)),
  correlationId: Type.Optional(text('Of one request, such as a bulk operation.', 200)),
  from: Type.Optional(instant('At or after this.')),
  to: Type.Optional(instant('At or before this.')),
  after: Type.Optional(count('Events after this position.')),
  ...pageQuery,
  minPosition,
})

export const UndoBody = closed({
  force: Type.Optional(
    Type.Boolean({
      description: 'Also fields that were changed again since. Default false: 409 `undo_conflict`.',
    }),
  ),
  reason,
})
export type UndoBody = Static<typeof UndoBody>

export const UndoPreviewJson = Type.Object({
  undoes: EventJson,
  changes: Type.Array(FieldChange, {
    description: 'What would be set, from the present value to the former one; empty: it is back already.',
  }),
  conflicts: Type.Array(
    Type.Object({
      path: Type.String(),
      set: Type.Unknown({ description: 'What the change set.' }),
      now: Type.Unknown({ description: 'What it is now.' }),
      revision: count('Of the later change.'),
    }),
    { description: 'What was changed again since, and needs `force`.' },
  ),
})

export const UndoJson = Type.Object({
  kind: oneOf(['task', 'schedule', 'calendar']),
  id: Type.String(),
  status: oneOf(['active', 'deleted'], { description: 'Of what was changed, after the undo.' }),
  revision: count('Of what was changed, after the undo.'),
  event: nullOr(
    Type.Object(EventJson.properties, { description: 'What it made; null: all was back already.' }),
  ),
})

/** How many changes one request may have made, to be taken back as a whole. */
export const maxUndone = 10_000

export const UndoRequestBody = closed({
  ...UndoBody.properties,
  after: Type.Optional(
    count('Position before the first of the events: nothing older is searched. Default 0.'),
  ),
})
export const UndoRequestQuery = closed({
  after: UndoRequestBody.properties.after,
  minPosition,
})

const UndoneSubject = {
  kind: oneOf(eventKinds),
  id: Type.String(),
  revision: count('Of the change.'),
  type: text('Of the event.'),
}

export const UndoRequestPreviewJson = Type.Object({
  correlationId: Type.String(),
  total: count('Changes that the request made.'),
  undoable: count('That would be taken back.'),
  unchanged: count('Of which all is back already.'),
  refused: count('That would be refused.'),
  events: Type.Array(
    Type.Object({
      ...UndoneSubject,
      outcome: oneOf(['undoable', 'unchanged', 'refused']),
      changes: Type.Array(FieldChange),
      code: Type.Optional(Type.String()),
      detail: Type.Optional(Type.String()),
    }),
    { description: 'The first 100.' },
  ),
})

export const UndoRequestJson = Type.Object({
  correlationId: text('Of this undo: with it, it can be taken back itself.'),
  total: count('Changes that the request made.'),
  undone: count('Taken back, each by a new event.'),
  unchanged: count('Of which all was back already.'),
  refused: count('That were left as they are.'),
  problems: Type.Array(
    Type.Object({ ...UndoneSubject, code: text('Why it was refused.'), detail: Type.String() }),
    { description: 'The first 100 that were refused.' },
  ),
})

export const ChangesQuery = closed({
  kind: Type.Optional(
    Type.Array(oneOf(eventKinds), {
      maxItems: eventKinds.length,
      description: 'Repeat for more: any of them.',
    }),
  ),
  task: Type.Optional(text('Id of a task: only what happens to it.', 64)),
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

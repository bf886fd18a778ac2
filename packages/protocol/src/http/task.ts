import { type Static, Type } from 'typebox'
import { scheduleField } from './schedule.js'
import {
  asOf,
  closed,
  count,
  freeObject,
  instant,
  listOf,
  minPosition,
  nameText,
  nullOr,
  oneOf,
  pageQuery,
  reason,
  text,
} from './shape.js'

export const overlapPolicies = ['allow', 'skip', 'queueOne', 'cancelRunning'] as const
export const catchUpPolicies = ['latest', 'all', 'none'] as const

const route = (description: string) => nullOr(Type.String({ maxLength: 200, description }))

const catchUp = closed(
  {
    policy: Type.Optional(oneOf(catchUpPolicies, { description: 'Default `latest`: one late run.' })),
    windowSeconds: Type.Optional(
      nullOr(count('Missed occurrences older than this are skipped as misfires; null: no limit.')),
    ),
    max: Type.Optional(count('With `all`: at most so many, the newest. Default 100.', 1, 1_000)),
  },
  { description: 'What becomes of occurrences that could not be decided on time.' },
)

const fields = {
  name: nameText('Unique in the namespace.'),
  task: nameText('What to run: the name that workers know it by.'),
  schedule: scheduleField,
  args: Type.Array(Type.Unknown(), { description: 'Positional arguments, any JSON.' }),
  kwargs: freeObject('Named arguments, any JSON.'),
  headers: freeObject('Message headers of your own.'),
  queue: route('Queue of the runs; null means `default`.'),
  exchange: route('Exchange to route by, in place of a queue.'),
  routingKey: route('Routing key; also the key of the message.'),
  priority: nullOr(count('Higher goes first.', 0, 255)),
  expires: nullOr(instant('The schedule ends here: no occurrence at or after it.')),
  expireSeconds: nullOr(count('Life of each run, counted from its emission. Not together with `expires`.')),
  oneOff: Type.Boolean({ description: 'Run once, then disable.' }),
  maxRuns: nullOr(count('Run so many times, then disable.', 1, 10_000)),
  startTime: nullOr(instant('No occurrence before it; an interval counts from it.')),
  enabled: Type.Boolean({ description: 'Default true.' }),
  description: text('For people.'),
  labels: Type.Unsafe<{ readonly [key: string]: string }>({
    type: 'object',
    additionalProperties: { type: 'string', maxLength: 200 },
    maxProperties: 32,
    description: 'For finding: at most 32.',
  }),
  catchUp,
  overlap: oneOf(overlapPolicies, {
    description: 'What a new run does while one of the same task is running.',
  }),
  jitterSeconds: Type.Number({
    minimum: 0,
    description: 'Each dispatch is delayed by a part of it, always the same for one occurrence.',
  }),
  maxAttempts: count('How often a failed run is tried in all; default 1.', 1, 100),
}

const { name, task, schedule, ...optional } = fields

export const TaskBody = closed({
  name,
  task,
  schedule,
  ...Type.Partial(Type.Object(optional)).properties,
  reason,
})
export type TaskBody = Static<typeof TaskBody>

export const imported = closed(
  {
    lastRunAt: nullOr(instant('Last run there.')),
    totalRunCount: count('Runs there.'),
    anchor: instant('Where an interval’s grid starts, so that the rhythm keeps its phase.'),
  },
  { description: 'Run data brought along from another scheduler.' },
)

export const NewTaskBody = closed({ ...TaskBody.properties, imported: Type.Optional(imported) })
export type NewTaskBody = Static<typeof NewTaskBody>

/** The name comes with the path. */
export const PutTaskBody = closed({ ...TaskBody.properties, name: Type.Optional(name) })
export type PutTaskBody = Static<typeof PutTaskBody>

const resettable = {
  args: nullOr(fields.args),
  kwargs: nullOr(fields.kwargs),
  headers: nullOr(fields.headers),
  description: nullOr(fields.description),
  labels: Type.Unsafe<{ readonly [key: string]: string | null } | null>({
    type: ['object', 'null'],
    additionalProperties: { type: ['string', 'null'], maxLength: 200 },
    description: 'Merged into the labels; a null takes one away.',
  }),
  catchUp: nullOr(
    closed({
      policy: Type.Optional(nullOr(oneOf(catchUpPolicies))),
      windowSeconds: Type.Optional(nullOr(count('Seconds.'))),
      max: Type.Optional(nullOr(count('At most.', 1, 1_000))),
    }),
  ),
  overlap: nullOr(fields.overlap),
  jitterSeconds: nullOr(fields.jitterSeconds),
  maxAttempts: nullOr(fields.maxAttempts),
}

/**
 * A merge patch (RFC 7396): null resets a field to its default; `labels`, `kwargs`, `headers` and `catchUp` are merged;
 * `schedule` and `args` are replaced as a whole. `oneOff` and `enabled` have no null: `{"enabled":null}` is refused,
 * not taken for false.
 */
export const TaskPatch = closed({
  ...Type.Partial(Type.Object({ ...fields, ...resettable })).properties,
  reason,
})
export type TaskPatch = Static<typeof TaskPatch>

export const TaskJson = Type.Object({
  id: Type.String(),
  namespace: Type.String(),
  ...fields,
  catchUp: Type.Object({
    policy: oneOf(catchUpPolicies),
    windowSeconds: nullOr(Type.Integer()),
    max: Type.Integer(),
  }),
  revision: count('Goes up with every change; the ETag.'),
  scheduleText: text('The schedule as a sentence.'),
  nextRunAt: nullOr(instant('Next dispatch; null when disabled, ended or quarantined.')),
  lastRunAt: nullOr(instant('Emission of the newest run; null in a view of the past.')),
  totalRunCount: nullOr(count('Runs so far; null in a view of the past.')),
  dateChanged: instant('When it last changed.'),
  createdAt: instant('When it was created.'),
  changedBy: text('Who changed it last.'),
  runsLeft: nullOr(count('With oneOff or maxRuns: occurrences left since it was armed.')),
  disabledCause: nullOr(oneOf(['requested', 'completed', 'expired'])),
  disabledReason: nullOr(text('Why it is disabled or paused, if that was said.')),
  pausedUntil: nullOr(instant('What comes due before this does not run; null: it is not paused.')),
  quarantine: Type.Unsafe<{ readonly code: string; readonly message: string } | null>({
    type: ['object', 'null'],
    properties: { code: { type: 'string' }, message: { type: 'string' } },
    description: 'Why it cannot be planned, else null.',
  }),
  imported: Type.Unsafe<Static<typeof imported> | null>({
    type: ['object', 'null'],
    properties: {
      lastRunAt: { type: ['string', 'null'] },
      totalRunCount: { type: 'integer' },
      anchor: { type: 'string' },
    },
  }),
})
export type TaskJson = Static<typeof TaskJson>

export const TaskList = listOf(TaskJson)

/** What tasks are chosen by. */
export const taskFilters = {
  enabled: Type.Optional(Type.Boolean()),
  name: Type.Optional(text('Exactly this name.', 200)),
  task: Type.Optional(text('Exactly this task.', 200)),
  queue: Type.Optional(text('Exactly this queue.', 200)),
  label: Type.Optional(
    Type.Array(Type.String({ maxLength: 402 }), {
      maxItems: 32,
      description: '`key=value` or `key`; repeat for more, all must hold.',
    }),
  ),
  scheduleKind: Type.Optional(oneOf(['interval', 'crontab', 'solar', 'clocked', 'union', 'except', 'ref'])),
  schedule: Type.Optional(text('Name of the shared schedule.', 200)),
  quarantined: Type.Optional(Type.Boolean()),
  q: Type.Optional(text('Anywhere in name, task or description, letter case aside.', 200)),
}

export const TaskListQuery = closed({
  ...taskFilters,
  sort: Type.Optional(
    oneOf(['name', '-name', 'createdAt', '-createdAt', 'dateChanged', '-dateChanged'], {
      description: 'With `-` the greatest or newest first. Default `name`, the only one with an index.',
    }),
  ),
  ...pageQuery,
  asOf,
  minPosition,
})

export const ReasonBody = closed({ reason })
export type ReasonBody = Static<typeof ReasonBody>

export const TriggerBody = closed({
  args: Type.Optional(Type.Array(Type.Unknown(), { description: 'In place of the task’s own.' })),
  kwargs: Type.Optional(freeObject('In place of the task’s own.')),
  reason,
})
export type TriggerBody = Static<typeof TriggerBody>

export const TriggerJson = Type.Object({
  runId: Type.String(),
  taskId: Type.String(),
  position: count('Of the event.'),
})

export const BackfillBody = closed({
  from: instant('First occurrence to run, inclusive.'),
  until: instant('Last occurrence to run, inclusive.'),
  max: Type.Optional(count('At most so many; default 100.', 1, 1_000)),
  order: Type.Optional(
    oneOf(['oldestFirst', 'newestFirst'], {
      description: 'Which come first, and which are left out beyond `max`. Default `oldestFirst`.',
    }),
  ),
  reason,
})
export type BackfillBody = Static<typeof BackfillBody>

export const DisableBody = closed({
  until: Type.Optional(
    instant('Only until then: it goes on by itself. What comes due in between does not run. In the future.'),
  ),
  reason,
})

export const MoveBody = closed({ to: instant('When it is instead: at least 30 s ahead.'), reason })

export const BackfillQuery = closed({
  from: BackfillBody.properties.from,
  until: BackfillBody.properties.until,
  max: BackfillBody.properties.max,
  order: BackfillBody.properties.order,
  minPosition,
})

export const BackfillPreviewJson = Type.Object({
  total: count('Occurrences in the range.'),
  runs: count('That would run: at most `max`.'),
  items: Type.Array(
    Type.Object({
      at: instant('The occurrence.'),
      outcome: nullOr(oneOf(['emitted', 'skipped'])),
      reason: nullOr(text('Why it was skipped.')),
      status: nullOr(text('What became of its run.')),
    }),
    { description: 'In the order in which they would run, with what has become of each so far.' },
  ),
})

export const OccurrencesQuery = closed({
  from: Type.Optional(
    instant('Coming ones: exclusive, default now. With `to`: inclusive, default creation.'),
  ),
  to: Type.Optional(instant('Inclusive: list each occurrence between `from` and this with its outcome.')),
  count: Type.Optional(count('How many; default 20.', 1, 1_000)),
  cursor: pageQuery.cursor,
  minPosition,
})

export const OccurrenceJson = Type.Object({
  at: instant('The occurrence; with a range of skips the first of them.'),
  local: text('The same in the schedule’s zone.'),
  outcome: oneOf(['due', 'emitted', 'skipped']),
  reason: nullOr(text('Why skipped.')),
  runId: nullOr(Type.String()),
  status: nullOr(text('What became of the run.')),
  count: count('Occurrences that this entry stands for.'),
  revision: nullOr(count('Task revision that decided it.')),
})
export type OccurrenceJson = Static<typeof OccurrenceJson>

export const OccurrenceList = Type.Object({
  ...listOf(OccurrenceJson).properties,
  timezone: text('The zone of `local`.'),
  scheduleText: text('The schedule as a sentence.'),
  notes: Type.Array(Type.String(), { description: 'What daylight saving does to these occurrences.' }),
})

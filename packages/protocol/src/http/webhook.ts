import { type Static, Type } from 'typebox'
import { closed, count, instant, listOf, nullOr, oneOf, reason, text } from './shape.js'

const runs = closed(
  {
    queue: text('The queue.', 200),
    leaseSeconds: Type.Optional(
      count('How long a run is the receiver’s that answered 202. 30 to 86 400; default 300.', 1, 86_400),
    ),
  },
  { description: 'Takes the runs of this queue too, and posts them.' },
)

const fields = {
  name: text('Unique among the webhooks of the namespace.', 200),
  url: text(
    'Where it is posted to: `https`, and a public address unless the configuration allows another.',
    2_000,
  ),
  description: Type.Optional(text('For people.', 1_000)),
  enabled: Type.Optional(
    Type.Boolean({ description: 'Default true. What happens while it is off is told later.' }),
  ),
  events: Type.Optional(
    Type.Array(Type.String(), {
      maxItems: 50,
      description:
        'Types of messages, such as `task.disabled` or `run.failed`, or all of a subject: `task.*`.',
    }),
  ),
  tasks: Type.Optional(
    Type.Array(Type.String(), { maxItems: 200, description: 'Only what these tasks are about, by id.' }),
  ),
  labels: Type.Optional(
    Type.Unsafe<{ readonly [key: string]: string }>({
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Only what tasks with all of these labels are about.',
    }),
  ),
  runs: Type.Optional(nullOr(runs)),
}

export const NewWebhookBody = closed({ ...fields, reason })
export type NewWebhookBody = Static<typeof NewWebhookBody>

export const WebhookPatch = closed({ ...Type.Partial(Type.Object(fields)).properties, reason })
export type WebhookPatch = Static<typeof WebhookPatch>

export const WebhookJson = Type.Object({
  id: Type.String(),
  name: Type.String(),
  url: Type.String(),
  description: Type.String(),
  enabled: Type.Boolean(),
  events: Type.Array(Type.String()),
  tasks: Type.Array(Type.String()),
  labels: Type.Unsafe<{ readonly [key: string]: string }>({
    type: 'object',
    additionalProperties: { type: 'string' },
  }),
  runs: nullOr(Type.Object({ queue: Type.String(), leaseSeconds: Type.Integer() })),
  disabled: nullOr(
    Type.Object(
      {
        cause: oneOf(['failing', 'gone']),
        message: Type.String(),
        at: instant('When.'),
      },
      { description: 'Why Almanac has switched it off, else null.' },
    ),
  ),
  status: Type.Object(
    {
      position: count('Every event up to here is through.'),
      delivered: count('Messages that got through.'),
      failed: count('Tries that did not.'),
      givenUp: count('Messages that were given up.'),
      failingSince: nullOr(instant('Of the first failure since the last success.')),
      lastSuccessAt: nullOr(instant('When a message last got through.')),
    },
    { description: 'How it has fared.' },
  ),
  revision: count('Of its last change; the ETag.'),
  createdAt: instant('When it was made.'),
  createdBy: Type.String(),
})
export type WebhookJson = Static<typeof WebhookJson>

export const WebhookWithSecret = Type.Object({
  ...WebhookJson.properties,
  secret: nullOr(
    text(
      'Messages are signed with it: `whsec_…`, as Standard Webhooks has it. Null: it was told to the first request.',
    ),
  ),
})

export const WebhookList = listOf(WebhookJson)

export const DeliveryJson = Type.Object({
  id: text('Of the message: `webhook-id`.'),
  type: Type.String(),
  subject: text('What it is about: the id of a task, or a stream.'),
  status: oneOf(['waiting', 'delivered', 'given_up']),
  attempts: count('Tries so far.'),
  firstAt: instant('Of the first try.'),
  lastAt: instant('Of the last.'),
  lastStatus: nullOr(count('What the receiver answered; null: nothing.')),
  lastError: nullOr(text('Why it did not get through.')),
  lastMs: count('How long the last try took.'),
  nextAt: nullOr(instant('When it is tried again.')),
})
export const DeliveryList = Type.Object({
  items: Type.Array(DeliveryJson, { description: 'The newest 50.' }),
})

export const PingJson = Type.Object({
  delivered: Type.Boolean(),
  status: nullOr(Type.Integer()),
  error: nullOr(Type.String()),
  ms: Type.Integer(),
})

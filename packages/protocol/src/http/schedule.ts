import { intervalPeriods, solarEvents } from '@almanac/recurrence'
import { type Static, type TSchema, Type } from 'typebox'
import {
  asOf,
  checkedLater,
  closed,
  count,
  fenceQuery,
  freeObject,
  instant,
  listOf,
  minPosition,
  nameText,
  oneOf,
  pageQuery,
  reason,
  text,
} from './shape.js'

const crontabField = (name: string) =>
  Type.Optional(Type.String({ description: `${name}; left out: \`*\`.` }))

/** For the OpenAPI document. Requests are checked by the recurrence package, whose problems name field and rule. */
export const scheduleSchemas: { readonly [name: string]: TSchema } = {
  Schedule: Type.Union(
    [
      closed({ interval: closed({ every: count('Whole number.', 1), period: oneOf(intervalPeriods) }) }),
      closed({
        crontab: closed({
          expression: Type.Optional(
            Type.String({
              description: 'Five fields (`0 2 * * *`), or `@daily` and its like. Excludes the fields.',
            }),
          ),
          second: Type.Optional(Type.String({ description: 'Left out: `0`.' })),
          minute: crontabField('0-59'),
          hour: crontabField('0-23'),
          dayOfMonth: crontabField('1-31'),
          monthOfYear: crontabField('1-12 or names'),
          dayOfWeek: crontabField('0-7 or names, Sunday is 0 and 7'),
          timezone: Type.Optional(Type.String({ description: 'IANA zone; default `UTC`.' })),
          dayMode: Type.Optional(
            oneOf(['and', 'or'], { description: 'How the two day fields combine; default `and`.' }),
          ),
          seconds: Type.Optional(
            Type.Boolean({ description: 'True: `expression` has six fields, seconds first.' }),
          ),
          dst: Type.Optional(
            closed({
              gap: Type.Optional(oneOf(['shift', 'skip', 'firstValid'])),
              overlap: Type.Optional(oneOf(['auto', 'first', 'second', 'both'])),
            }),
          ),
        }),
      }),
      closed({
        solar: closed({
          event: oneOf(solarEvents),
          latitude: Type.Number({ minimum: -90, maximum: 90 }),
          longitude: Type.Number({ minimum: -180, maximum: 180 }),
        }),
      }),
      closed({ clocked: closed({ at: instant('The one instant.') }) }),
      closed({ union: Type.Array(freeObject('A schedule.')) }),
      closed({
        except: closed({
          base: freeObject('A schedule.'),
          exclude: Type.Array(freeObject('A schedule, or `{ "calendar": … }`.')),
        }),
      }),
      closed({ ref: text('Name of a shared schedule.') }),
    ],
    { description: 'When. One of the forms.' },
  ),
  CalendarDays: closed(
    {
      timezone: Type.Optional(Type.String({ description: 'IANA zone; default `UTC`.' })),
      dates: Type.Optional(Type.Array(Type.String({ examples: ['2026-12-25'] }))),
      annual: Type.Optional(Type.Array(Type.String({ examples: ['12-25'] }))),
      weekdays: Type.Optional(Type.Array(oneOf(['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']))),
      ranges: Type.Optional(Type.Array(closed({ from: Type.String(), to: Type.String() }))),
    },
    { description: 'A set of local days; the parts are united.' },
  ),
}

export const scheduleField = checkedLater('Schedule', 'When.')

export const ScheduleBody = closed({
  name: nameText('The name that tasks refer to; fixed for life.'),
  schedule: scheduleField,
  description: Type.Optional(text('For people.')),
  reason,
})
export type ScheduleBody = Static<typeof ScheduleBody>

export const SchedulePatch = closed({
  schedule: Type.Optional(scheduleField),
  description: Type.Optional(
    Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'For people.' }),
  ),
  reason,
})
export type SchedulePatch = Static<typeof SchedulePatch>

export const ScheduleJson = Type.Object({
  id: Type.String(),
  namespace: Type.String(),
  name: Type.String(),
  schedule: scheduleField,
  scheduleText: text('The schedule as a sentence.'),
  description: Type.String(),
  revision: count('Goes up with every change; the ETag.'),
  createdAt: instant('When it was created.'),
  dateChanged: instant('When it last changed.'),
  changedBy: Type.String(),
})
export type ScheduleJson = Static<typeof ScheduleJson>

export const ScheduleWithUsers = Type.Object({
  ...ScheduleJson.properties,
  usedBy: Type.Object({
    total: count('Tasks that use it.'),
    names: Type.Array(Type.String(), { description: 'The first 20 of their names.' }),
  }),
})
export type ScheduleWithUsers = Static<typeof ScheduleWithUsers>

export const ScheduleList = listOf(ScheduleJson)
export const NamedListQuery = closed({ ...pageQuery, asOf, minPosition })
export const ItemQuery = closed({ asOf, minPosition })
export const DeleteScheduleQuery = closed({
  ...fenceQuery,
  cascade: Type.Optional(Type.Boolean({ description: 'Delete the tasks that use it too.' })),
})

export const PreviewBody = closed({
  schedule: scheduleField,
  from: Type.Optional(instant('Exclusive; default now.')),
  count: Type.Optional(count('How many; default 10.', 1, 1_000)),
})
export type PreviewBody = Static<typeof PreviewBody>

export const PreviewJson = Type.Object({
  text: text('The schedule as a sentence.'),
  occurrences: Type.Array(instant('When it fires.'), {
    description: 'Fewer than asked when the schedule ends, none when it does not fire within 100 years.',
  }),
  notes: Type.Array(Type.String(), { description: 'What daylight saving does to these occurrences.' }),
})

export const CalendarBody = closed({
  name: nameText('The name that schedules refer to; fixed for life.'),
  days: checkedLater('CalendarDays', 'The days.'),
  description: Type.Optional(text('For people.')),
  reason,
})
export type CalendarBody = Static<typeof CalendarBody>

export const CalendarPatch = closed({
  days: Type.Optional(checkedLater('CalendarDays', 'The days.')),
  description: Type.Optional(
    Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'For people.' }),
  ),
  reason,
})
export type CalendarPatch = Static<typeof CalendarPatch>

export const CalendarJson = Type.Object({
  id: Type.String(),
  namespace: Type.String(),
  name: Type.String(),
  days: checkedLater('CalendarDays', 'The days.'),
  description: Type.String(),
  revision: count('Goes up with every change; the ETag.'),
  createdAt: instant('When it was created.'),
  dateChanged: instant('When it last changed.'),
  changedBy: Type.String(),
})
export type CalendarJson = Static<typeof CalendarJson>
export const CalendarList = listOf(CalendarJson)

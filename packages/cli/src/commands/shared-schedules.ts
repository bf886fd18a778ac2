import type { ScheduleJson, ScheduleWithUsers } from '@almanac/protocol'
import { findSchedule } from '../http/find.js'
import { readPages } from '../http/pages.js'
import { valueText } from '../output/diff.js'
import type { Column } from '../output/table.js'
import { counted, visible } from '../output/text.js'
import { relative } from '../output/time.js'
import { readSchedule } from '../schedule-text.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'
import { moment } from './tasks-show.js'

const columns = (session: Session): Column<ScheduleJson>[] => {
  const { bold, dim } = session.world.out.paint
  return [
    { title: 'NAME', value: ({ name }) => name, min: 16, style: bold },
    { title: 'SCHEDULE', value: ({ scheduleText }) => scheduleText, min: 20 },
    { title: 'DESCRIPTION', value: ({ description }) => description, min: 12, drop: 2 },
    { title: 'CHANGED', value: ({ dateChanged }) => relative(Date.parse(dateChanged), session.now), drop: 1 },
    { title: 'ID', value: ({ id }) => id, drop: 3, style: dim },
  ]
}

export const listSchedules = async (world: World, options: ServerOptions) => {
  const session = new Session(world, options)
  const page = await readPages<ScheduleJson>(
    session.server,
    '/schedules',
    {},
    { limit: Number.POSITIVE_INFINITY },
  )
  if (session.json) return session.document(page)
  if (page.items.length === 0) return session.line('No shared schedules.')
  session.table(columns(session), page.items)
  session.notice(counted(page.total, 'schedule'))
}

const usersText = ({ usedBy }: ScheduleWithUsers) => {
  const names = usedBy.names.map((name) => `"${visible(name)}"`).join(', ')
  const more = usedBy.total > usedBy.names.length ? ', …' : ''
  return usedBy.total === 0 ? 'no task' : `${counted(usedBy.total, 'task')}: ${names}${more}`
}

export const showSchedule = async (world: World, name: string, options: ServerOptions) => {
  const session = new Session(world, options)
  const schedule = await findSchedule<ScheduleWithUsers>(session.server, name)
  if (session.json) return session.document(schedule)
  session.fields([
    ['name', world.out.paint.bold(visible(schedule.name))],
    ['id', schedule.id],
    ['schedule', visible(schedule.scheduleText)],
    ['value', valueText(schedule.schedule)],
    ['description', visible(schedule.description)],
    ['used by', usersText(schedule)],
    ['created', moment(session, schedule.createdAt)],
    ['changed', `${moment(session, schedule.dateChanged)} by ${visible(schedule.changedBy)}`],
  ])
}

export interface CreateScheduleOptions extends ServerOptions {
  readonly name: string
  readonly schedule: string
  readonly timezone?: string
  readonly seconds?: boolean
  readonly description?: string
  readonly reason?: string
}

export const createSchedule = async (world: World, options: CreateScheduleOptions) => {
  const session = new Session(world, options)
  const value = await readSchedule(options.schedule, {
    ...(options.timezone === undefined ? {} : { timezone: options.timezone }),
    seconds: options.seconds === true,
  })
  const { description, reason } = options
  const { body } = await session.server.ask<ScheduleJson>('/schedules', {
    method: 'POST',
    body: {
      name: options.name,
      schedule: value,
      ...(description === undefined ? {} : { description }),
      ...(reason === undefined ? {} : { reason }),
    },
  })
  if (session.json) return session.document(body)
  session.line(`${world.out.paint.bold(visible(body.name))}: created, ${visible(body.scheduleText)}`)
  session.notice(`tasks use it with --schedule '${JSON.stringify({ ref: body.name })}'`)
}

export const deleteSchedule = async (
  world: World,
  name: string,
  options: ServerOptions & { cascade?: boolean },
) => {
  const session = new Session(world, options)
  const schedule = await findSchedule<ScheduleWithUsers>(session.server, name)
  const { body } = await session.server.ask<unknown>(`/schedules/${encodeURIComponent(schedule.id)}`, {
    method: 'DELETE',
    query: { cascade: options.cascade ? true : undefined },
  })
  if (session.json) return session.document(body ?? { id: schedule.id, name: schedule.name, deleted: true })
  const used = schedule.usedBy.total
  session.line(
    `${world.out.paint.bold(visible(schedule.name))}: deleted${used > 0 ? ` with ${counted(used, 'task')}` : ''}`,
  )
}

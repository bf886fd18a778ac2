import type { ScheduleValue } from '@almanac/recurrence'

/** Names of the shared calendars that a schedule refers to, each once. */
export function calendarsOf(value: ScheduleValue): readonly string[] {
  const names = new Set<string>()
  const visit = (part: ScheduleValue): void => {
    if ('union' in part) for (const one of part.union) visit(one)
    if (!('except' in part)) return
    visit(part.except.base)
    for (const excluded of part.except.exclude) {
      if (!('calendar' in excluded)) visit(excluded)
      else if ('ref' in excluded.calendar) names.add(excluded.calendar.ref)
    }
  }
  visit(value)
  return [...names]
}

import { queueOf, type TaskState } from '@almanac/domain'
import type { TaskFilter } from '../ports/view-store.js'

/** Upper case, since lower-casing depends on the place in a word (Greek sigma). */
const folded = (text: string): string => text.normalize('NFC').toUpperCase()

export const kindOf = (schedule: object): string => Object.keys(schedule)[0] ?? ''

export const refOf = ({ spec: { schedule } }: TaskState): string | undefined =>
  'ref' in schedule && typeof schedule.ref === 'string' ? schedule.ref : undefined

/**
 * A test for one list's filter. `namesOfKind` answers the names of the shared schedules of a kind; it is asked once at
 * most.
 */
export function taskTest(
  filter: TaskFilter,
  namesOfKind: (kind: string) => ReadonlySet<string>,
): (state: TaskState) => boolean {
  const { enabled, quarantined, name, task, queue, scheduleRef, scheduleKind, labels = [], q } = filter
  const tests: ((state: TaskState) => boolean)[] = []
  if (enabled !== undefined) tests.push(({ spec }) => spec.enabled === enabled)
  if (quarantined !== undefined) tests.push(({ quarantine }) => (quarantine !== null) === quarantined)
  if (name !== undefined) tests.push(({ spec }) => spec.name === name.normalize('NFC'))
  if (task !== undefined) tests.push(({ spec }) => spec.task === task)
  if (queue !== undefined) tests.push(({ spec }) => queueOf(spec) === queue)
  if (scheduleRef !== undefined) tests.push((state) => refOf(state) === scheduleRef.normalize('NFC'))
  for (const label of labels) tests.push(labelTest(label))
  if (q !== undefined) tests.push(searchTest(q))
  if (scheduleKind !== undefined) tests.push(kindTest(scheduleKind, namesOfKind(scheduleKind)))
  return (state) => tests.every((test) => test(state))
}

function labelTest(label: string): (state: TaskState) => boolean {
  const at = label.indexOf('=')
  const key = at < 0 ? label : label.slice(0, at)
  const value = at < 0 ? undefined : label.slice(at + 1)
  return ({ spec: { labels } }) =>
    Object.hasOwn(labels, key) && (value === undefined || labels[key] === value)
}

function searchTest(q: string): (state: TaskState) => boolean {
  const wanted = folded(q)
  return ({ spec }) => [spec.name, spec.task, spec.description].some((text) => folded(text).includes(wanted))
}

function kindTest(kind: string, shared: ReadonlySet<string>): (state: TaskState) => boolean {
  return (state) => kindOf(state.spec.schedule) === kind || shared.has(refOf(state) ?? '')
}

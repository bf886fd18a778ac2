import type { ForecastTask } from '../catalog.js'
import { CheckFault, type Word } from './words.js'

/** Which tasks a check is about: by name, label or queue; `*` stands for anything. */
export interface Pattern {
  readonly text: string
  matches(task: ForecastTask): boolean
}

/** `report-*`, `"Daily report"`, `team=billing`, `queue:mail`. What is quoted is a name. */
export function patternOf(word: Word): Pattern {
  if (word.text === '') throw new CheckFault(word.column, 'expected the name of a task, not nothing')
  if (word.quoted) return { text: `"${word.text}"`, matches: byName(word.text) }
  const queue = /^queue:(.+)$/.exec(word.text)?.[1]
  if (queue !== undefined) {
    const fits = glob(queue)
    return { text: word.text, matches: (task) => fits(task.queue) }
  }
  const [, key = '', value] = /^([^=]+)=(.*)$/.exec(word.text) ?? []
  if (value === undefined) return { text: word.text, matches: byName(word.text) }
  const fits = glob(value)
  return {
    text: word.text,
    matches: ({ labels }) => {
      const label = Object.hasOwn(labels, key) ? labels[key] : undefined
      return label !== undefined && fits(label)
    },
  }
}

const byName = (name: string) => {
  const fits = glob(name)
  return (task: ForecastTask) => fits(task.name)
}

function glob(text: string): (value: string) => boolean {
  const normal = text.normalize('NFC')
  if (!normal.includes('*')) return (value) => value === normal
  const source = normal
    .split(/\*+/)
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('[\\s\\S]*')
  const form = new RegExp(`^${source}$`)
  return (value) => form.test(value)
}

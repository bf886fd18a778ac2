import { readFileSync } from 'node:fs'
import { environmentName } from '@almanac/adapters/system'

interface Secret {
  /** Its name; that of its file ends in `File`. */
  readonly option: string
  readonly value: string | undefined
  readonly file: string | undefined
}

/** A secret as it is given, or from its file. Undefined: none is given, or `report` was told why it can't be used. */
export function secretOf(
  { option, value, file }: Secret,
  report: (problem: string) => void,
): string | undefined {
  if (file === undefined) return value
  const name = environmentName(`${option}File`)
  if (value !== undefined) {
    report(`${name} and ${environmentName(option)} are both set: one of them is enough.`)
    return undefined
  }
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    if (text === '') report(`${name}: the file "${file}" is empty.`)
    return text === '' ? undefined : text
  } catch {
    report(`${name}: the file "${file}" can not be read.`)
    return undefined
  }
}

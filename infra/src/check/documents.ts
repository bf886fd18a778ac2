import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseAllDocuments } from 'yaml'

export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value }

/** A YAML file as it was read. */
export interface YamlFile {
  /** From the root of the repository. */
  readonly path: string
  readonly documents: readonly Value[]
  /** Why it could not be read, if so. */
  readonly problems: readonly string[]
}

/** Kubernetes reads YAML 1.1, where `no` is false and `0440` is octal; compose reads 1.2. */
export function parseYaml(path: string, text: string, version: '1.1' | '1.2'): YamlFile {
  const parsed = parseAllDocuments(text, { version, merge: true })
  const documents = Array.isArray(parsed) ? parsed : []
  const problems = documents.flatMap(({ errors, warnings }) =>
    [...errors, ...warnings].map(({ message }) => message.split('\n')[0] ?? message),
  )
  const values: Value[] = problems.length > 0 ? [] : documents.map((document) => document.toJS())
  return { path, documents: values.filter((value) => value !== null), problems }
}

export const readYaml = (root: string, path: string, version: '1.1' | '1.2'): YamlFile =>
  parseYaml(path, readFileSync(join(root, path), 'utf8'), version)

/** All YAML files below a folder, in order. */
export const yamlFilesIn = (root: string, folder: string): readonly string[] =>
  readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()

/** A field of a field of ..., undefined where there is none. */
export function at(value: Value | undefined, ...keys: readonly (string | number)[]): Value | undefined {
  let found = value
  for (const key of keys) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as { readonly [key: string | number]: Value })[key]
  }
  return found
}

export const textAt = (value: Value | undefined, ...keys: readonly (string | number)[]): string => {
  const found = at(value, ...keys)
  return typeof found === 'string' || typeof found === 'number' ? `${found}` : ''
}

export const listAt = (value: Value | undefined, ...keys: readonly (string | number)[]): readonly Value[] => {
  const found = at(value, ...keys)
  return Array.isArray(found) ? found : []
}

export const entriesAt = (
  value: Value | undefined,
  ...keys: readonly (string | number)[]
): readonly (readonly [string, Value])[] => {
  const found = at(value, ...keys)
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? Object.entries(found) : []
}

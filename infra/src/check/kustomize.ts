import { posix } from 'node:path'
import { listAt, textAt, type Value, type YamlFile } from './documents.js'
import type { Known } from './rules.js'

const keys = [
  'apiVersion',
  'kind',
  'namespace',
  'resources',
  'components',
  'images',
  'labels',
  'patches',
  'configMapGenerator',
  'secretGenerator',
]

/** Files of a kustomization, from the root of the repository. */
const filesNamed = (document: Value) => [
  ...listAt(document, 'resources').map(String),
  ...listAt(document, 'components').map(String),
  ...patchesOf(document),
  ...listAt(document, 'configMapGenerator').flatMap((entry) => listAt(entry, 'files').map(String)),
]

const patchesOf = (document: Value) =>
  listAt(document, 'patches')
    .map((patch) => textAt(patch, 'path'))
    .filter((path) => path !== '')

const within = (file: YamlFile, name: string) => posix.join(posix.dirname(file.path), name)

export const isKustomization = ({ path }: YamlFile): boolean => posix.basename(path) === 'kustomization.yaml'

/** The files that a folder's kustomization takes as patches. */
export const patchPaths = (files: readonly YamlFile[]): ReadonlySet<string> =>
  new Set(
    files
      .filter(isKustomization)
      .flatMap((file) => file.documents.flatMap(patchesOf).map((path) => within(file, path))),
  )

/** Maps that kustomize makes, as far as others name them. */
export const generatedMaps = (files: readonly YamlFile[]): readonly Value[] =>
  files
    .filter(isKustomization)
    .flatMap((file) => file.documents.flatMap((document) => listAt(document, 'configMapGenerator')))
    .map((entry) => ({ kind: 'ConfigMap', metadata: { name: textAt(entry, 'name') } }))

export function kustomizationProblems(
  file: YamlFile,
  files: readonly YamlFile[],
  known: Known,
): readonly string[] {
  const [document] = file.documents
  if (document === undefined || typeof document !== 'object' || document === null) return ['it is empty']
  const unknown = Object.keys(document).filter((key) => !keys.includes(key))
  const named = filesNamed(document).map((name) => within(file, name))
  const missing = named.filter((path) => !known.hasFile(path))
  const forgotten = files
    .map(({ path }) => path)
    .filter((path) => posix.dirname(path) === posix.dirname(file.path) && path !== file.path)
    .filter((path) => !named.includes(path))
  const images = listAt(document, 'images').filter((image) => !/\d/.test(textAt(image, 'newTag')))
  return [
    ...unknown.map((key) => `${key} is no field that is used here`),
    ...missing.map((path) => `${path} is not there`),
    ...forgotten.map((path) => `${path} is named nowhere, so it is never applied`),
    ...images.map((image) => `the image ${textAt(image, 'name')} is not pinned to a version`),
  ]
}

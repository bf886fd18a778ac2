import { allDependencies, lineIn, type Manifest, manifestsOf } from './manifests.js'
import { packageImportsOf } from './modules.js'
import { isTest, packageFolderOf } from './places.js'
import type { Code, Repository, Rule, Violation } from './repository.js'
import { allowed, scope } from './walls.js'

/** What is imported is declared in the package's own package.json; what is declared is imported. */
export const declaredDependencies: Rule = (repository) =>
  manifestsOf(repository).flatMap((manifest) => {
    const files = filesOf(repository, manifest)
    const users = manifest.folder === '' ? repository.code : files
    return [...undeclared(repository, manifest, files), ...unused(repository, manifest, users)]
  })

/** A package's files; the root's are those of no package. */
const filesOf = ({ code }: Repository, { folder }: Manifest): readonly Code[] =>
  code.filter(({ path }) =>
    folder === '' ? packageFolderOf(path) === undefined : path.startsWith(`${folder}/`),
  )

function undeclared(
  repository: Repository,
  manifest: Manifest,
  files: readonly Code[],
): readonly Violation[] {
  const root = manifestsOf(repository).find(({ folder }) => folder === '')
  const shipped = new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }))
  const inTests = new Set([...Object.keys(allDependencies(manifest)), ...rootNames(root, manifest)])
  return files.flatMap((code) => {
    const known = isTest(code.path) || manifest.folder === '' ? inTests : shipped
    return packageImportsOf(code)
      .filter(({ name }) => !known.has(name) && name !== manifest.name)
      .map(({ name, line }) => ({ path: code.path, line, message: `${name} is not in ${manifest.path}` }))
  })
}

/** The root's own tools serve every package's tests; the packages themselves serve the root's tests. */
const rootNames = (root: Manifest | undefined, manifest: Manifest): readonly string[] => [
  ...Object.keys(root?.devDependencies ?? {}),
  ...(manifest.folder === '' ? Object.keys(allowed).map((name) => `${scope}${name}`) : []),
]

/** Development tools that are run, not imported. */
const commands: Readonly<Record<string, string>> = {
  '@biomejs/biome': 'biome',
  turbo: 'turbo',
  typescript: 'tsc',
  vitest: 'vitest',
}

/** The root's tools are used where any package uses them. */
function unused(repository: Repository, manifest: Manifest, files: readonly Code[]): readonly Violation[] {
  const declared = Object.keys(allDependencies(manifest))
  const imported = new Set(files.flatMap((code) => packageImportsOf(code).map(({ name }) => name)))
  const runners = manifest.folder === '' ? manifestsOf(repository) : [manifest]
  const scripts = runners.flatMap((runner) => Object.values(runner.scripts)).join('\n')
  return declared
    .filter((name) => !imported.has(name) && !servesAnother(name, declared))
    .filter((name) => !new RegExp(`\\b${commands[name] ?? 'no command'}\\b`).test(scripts))
    .map((name) => ({
      path: manifest.path,
      line: lineIn(manifest, name),
      message: `${name} is not used`,
    }))
}

/** `@types/x` serves `x`, and `@types/node` everybody. */
const servesAnother = (name: string, declared: readonly string[]): boolean =>
  name === '@types/node' || (name.startsWith('@types/') && declared.includes(name.slice('@types/'.length)))

const exact = /^\d+\.\d+\.\d+(-[\w.]+)?$/
const nodeFloor = '>=20.19'

/** What is installed is what was tested, on the Node that is promised. */
export const pinnedManifests: Rule = (repository) =>
  manifestsOf(repository).flatMap((manifest) => {
    const loose = Object.entries(allDependencies(manifest)).filter(([, version]) => !exact.test(version))
    const { path, engines } = manifest
    return [
      ...loose.map(([name, version]) => ({
        path,
        line: lineIn(manifest, name),
        message: `${name} is not pinned: ${version}`,
      })),
      ...(engines.node === nodeFloor ? [] : [{ path, line: 1, message: `engines.node is not ${nodeFloor}` }]),
    ]
  })

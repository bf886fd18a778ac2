import { posix } from 'node:path'
import { allDependencies, lineIn, manifestsOf } from './manifests.js'
import { packageImportsOf } from './modules.js'
import { isTest, packageFolderOf } from './places.js'
import type { Code, Rule, Violation } from './repository.js'

export const scope = '@almanac/'

/**
 * Who may depend on whom. Only `cli` may depend on the simulator: `almanac simulate` runs it. `cli` is over the
 * services as well: `almanac serve` starts the standalone one in its own process, and `almanac doctor` looks into its
 * files with the adapters.
 */
const belowProtocol = ['recurrence', 'domain']
const libraries = ['recurrence', 'domain', 'engine', 'protocol', 'adapters', 'client']
export const allowed: Readonly<Record<string, readonly string[]>> = {
  recurrence: [],
  domain: ['recurrence'],
  engine: ['recurrence', 'domain'],
  protocol: belowProtocol,
  // The double is a server that its specs talk to.
  adapters: ['recurrence', 'domain', 'engine', 'protocol', 'eventstore-double'],
  client: [...belowProtocol, 'protocol'],
  history: [...belowProtocol, 'protocol'],
  cli: [...belowProtocol, 'protocol', 'client', 'adapters', 'history', 'simulator', 'standalone'],
  simulator: [...libraries, 'history'],
  api: libraries,
  dashboard: [...belowProtocol, 'protocol', 'client'],
  scheduler: [...libraries, 'api', 'dashboard'],
  relay: libraries,
  auditor: libraries,
  standalone: [...libraries, 'api', 'dashboard', 'scheduler'],
  'eventstore-double': [],
  infra: [],
  loadtest: [...libraries, 'infra', 'scheduler'],
}

/** Both what package.json says and what the files import. */
export const packageWalls: Rule = (repository) => {
  const names = new Map(manifestsOf(repository).map(({ folder, name }) => [folder, name]))
  return [
    ...manifestsOf(repository).flatMap((manifest) => {
      const { path, name } = manifest
      const declared = Object.keys(allDependencies(manifest))
      return declared.flatMap((to) => wallBetween(name, to, path, lineIn(manifest, to)))
    }),
    ...repository.code.flatMap((code) => {
      const from = names.get(packageFolderOf(code.path) ?? 'outside')
      if (from === undefined) return []
      const imported = packageImportsOf(code).flatMap(({ name, line }) =>
        wallBetween(from, name, code.path, line),
      )
      return [...imported, ...climbingOut(code)]
    }),
  ]
}

function wallBetween(from: string, to: string, path: string, line: number): readonly Violation[] {
  const short = from.replace(scope, '')
  const target = to.replace(scope, '')
  if (!from.startsWith(scope) || !to.startsWith(scope) || short === target) return []
  const reach = allowed[short]
  if (reach === undefined) return [{ path, line, message: `no row for ${from} in the table of walls` }]
  return reach.includes(target) ? [] : [{ path, line, message: `${from} may not depend on ${to}` }]
}

/** `../../domain/src/ids.js` goes round package.json. A test may read what belongs to no package, such as docs. */
const climbingOut = (code: Code): readonly Violation[] =>
  code.imports.flatMap(({ specifier, line }) => {
    if (!specifier.startsWith('.')) return []
    const target = posix.join(posix.dirname(code.path), specifier)
    const there = packageFolderOf(target)
    const outside = there !== packageFolderOf(code.path) && !(there === undefined && isTest(code.path))
    return outside ? [{ path: code.path, line, message: `${specifier} leads out of the package` }] : []
  })

/** `tsc -b` builds in the order of the project references: they must tell the same as package.json. */
export const projectReferences: Rule = (repository) => {
  const folders = new Map(manifestsOf(repository).map(({ name, folder }) => [name, folder]))
  return manifestsOf(repository).flatMap((manifest) => {
    const path = posix.join(manifest.folder, 'tsconfig.json')
    const config = repository.file(path)
    if (config === undefined || packageFolderOf(path) === undefined) return []
    const { references = [] } = JSON.parse(config.text) as { references?: { path: string }[] }
    const actual = references.map((reference) => posix.join(manifest.folder, reference.path))
    const wanted = Object.keys(manifest.dependencies).flatMap((name) => folders.get(name) ?? [])
    return [
      ...wanted
        .filter((folder) => !actual.includes(folder))
        .map((folder) => ({ path, line: 1, message: `no reference to ${folder}` })),
      ...actual
        .filter((folder) => !wanted.includes(folder))
        .map((folder) => ({ path, line: 1, message: `${folder} is not in ${manifest.path}` })),
    ]
  })
}

/** What only tests need is not built, so that nobody ships it or comes to rely on it. */
export const noTestInBuild: Rule = ({ files }) =>
  files
    .filter(({ path }) => /^(packages|services)\/[^/]+\/tsconfig\.json$/.test(path))
    .flatMap(({ path, text }) => {
      const { exclude = [] } = JSON.parse(text) as { exclude?: string[] }
      const folder = posix.dirname(path)
      const excluded = exclude.map((glob) => patternOf(posix.join(folder, glob)))
      return files
        .filter(
          (test) => test.path.startsWith(`${folder}/src/`) && test.path.endsWith('.ts') && isTest(test.path),
        )
        .filter((test) => !excluded.some((pattern) => pattern.test(test.path)))
        .map((test) => ({ path, line: 1, message: `does not exclude ${test.path}` }))
    })

/** `src/**\/*.spec.ts`; what names a folder stands for all that is in it. */
function patternOf(glob: string): RegExp {
  const escaped = glob.replace(/[.+()[\]{}^$|\\]/g, '\\$&')
  const parts = escaped.replace(
    /\*\*\/|\*\*|\*/g,
    (star) => ({ '**/': '(.*/)?', '**': '.*' })[star] ?? '[^/]*',
  )
  return new RegExp(`^${parts}(/.*)?$`)
}

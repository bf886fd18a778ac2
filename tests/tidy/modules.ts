import { posix } from 'node:path'
import { type Manifest, manifestsOf, packageNameOf } from './manifests.js'
import type { Code, Repository } from './repository.js'

/** Which file each import leads to, as far as it is a file of this repository. */
export interface ModuleGraph {
  readonly edges: ReadonlyMap<string, readonly string[]>
  /** Files that a package shows to the outside: its exports, its commands. */
  readonly entries: readonly string[]
}

export function moduleGraphOf(repository: Repository): ModuleGraph {
  const manifests = manifestsOf(repository)
  const exported = exportedFiles(repository, manifests)
  const edges = new Map(
    repository.code.map((file) => [file.path, targetsOf(file, repository, exported)] as const),
  )
  return { edges, entries: entriesOf(repository, manifests) }
}

function targetsOf(
  file: Code,
  repository: Repository,
  exported: ReadonlyMap<string, string>,
): readonly string[] {
  return file.imports.flatMap(({ specifier }) => {
    const target = specifier.startsWith('.')
      ? relativeTarget(file.path, specifier, repository)
      : exported.get(specifier)
    return target === undefined ? [] : [target]
  })
}

/** `./x.js` is written for `./x.ts`, and `../dist/x.js` for `../src/x.ts`. */
function relativeTarget(from: string, specifier: string, repository: Repository): string | undefined {
  const path = posix.join(posix.dirname(from), specifier)
  const source = path.replace(/\.([cm]?)js$/, '.$1ts')
  return [source, path, source.replace('/dist/', '/src/')].find((candidate) => repository.file(candidate))
}

/** `@almanac/adapters/sqlite` -> `packages/adapters/src/sqlite/index.ts`; a `*` stands for every file it fits. */
function exportedFiles({ files }: Repository, manifests: readonly Manifest[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const { name, folder, text } of manifests) {
    const { exports = {} } = JSON.parse(text) as { exports?: Record<string, Record<string, string>> }
    for (const [key, conditions] of Object.entries(exports)) {
      const source = posix.join(folder, conditions['almanac-source'] ?? '')
      const [before = '', after] = source.split('*')
      if (after === undefined) found.set(posix.join(name, key), source)
      else {
        const fitting = files.filter(({ path }) => path.startsWith(before) && path.endsWith(after))
        for (const { path } of fitting) {
          const star = path.slice(before.length, path.length - after.length)
          found.set(posix.join(name, key.replace('*', star)), path)
        }
      }
    }
  }
  return found
}

function entriesOf(repository: Repository, manifests: readonly Manifest[]): readonly string[] {
  const commands = repository.code.filter(({ path }) => /^(packages|services)\/[^/]+\/bin\//.test(path))
  return [
    ...exportedFiles(repository, manifests).values(),
    ...commands.flatMap((command) => [
      command.path,
      ...command.imports.flatMap(
        ({ specifier }) => relativeTarget(command.path, specifier, repository) ?? [],
      ),
    ]),
  ]
}

/** Everything that can be reached from `starts`, themselves included. */
export function reachable(
  edges: ReadonlyMap<string, readonly string[]>,
  starts: readonly string[],
): ReadonlySet<string> {
  const seen = new Set<string>()
  const waiting = [...starts]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    waiting.push(...(edges.get(next) ?? []))
  }
  return seen
}

/** One way round for each knot of nodes that lead to each other; the first node is repeated at the end. */
export function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const cycles: (readonly string[])[] = []
  const told = new Set<string>()
  for (const start of [...edges.keys()].sort()) {
    if (told.has(start)) continue
    const way = wayRound(edges, start)
    if (way === undefined) continue
    cycles.push(way)
    for (const member of way) told.add(member)
  }
  return cycles
}

/** The shortest way from `start` back to it. */
function wayRound(
  edges: ReadonlyMap<string, readonly string[]>,
  start: string,
): readonly string[] | undefined {
  const ways: (readonly string[])[] = [[start]]
  const seen = new Set<string>()
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of edges.get(way.at(-1) ?? start) ?? []) {
      if (next === start) return [...way, start]
      if (seen.has(next)) continue
      seen.add(next)
      ways.push([...way, next])
    }
  }
  return undefined
}

/** The packages of this repository that a file imports, by name and with the line. */
export const packageImportsOf = (code: Code): readonly { readonly name: string; readonly line: number }[] =>
  code.imports.flatMap(({ specifier, line }) => {
    const name = packageNameOf(specifier)
    return name === undefined ? [] : [{ name, line }]
  })

import { posix } from 'node:path'
import { allDependencies, type Manifest, manifestsOf } from './manifests.js'
import { cyclesOf, moduleGraphOf, reachable } from './modules.js'
import { isBrowser, isSource, isTest } from './places.js'
import type { Rule, Violation } from './repository.js'

export const noImportCycle: Rule = (repository) => [
  ...cyclesOf(moduleGraphOf(repository).edges).map((way) => ({
    path: way[0] ?? '',
    line: 1,
    message: `imports itself: ${way.map((path) => posix.basename(path)).join(' -> ')}`,
  })),
  ...packageCycles(manifestsOf(repository)),
]

function packageCycles(manifests: readonly Manifest[]): readonly Violation[] {
  const byName = new Map(manifests.map((manifest) => [manifest.name, manifest]))
  const edges = new Map(
    manifests.map((manifest) => [
      manifest.name,
      Object.keys(allDependencies(manifest)).filter((name) => byName.has(name)),
    ]),
  )
  return cyclesOf(edges).map((way) => ({
    path: byName.get(way[0] ?? '')?.path ?? '',
    line: 1,
    message: `depends on itself: ${way.join(' -> ')}`,
  }))
}

/**
 * A source that no entry of its package leads to is dead, even if a spec still tests it. And what is written for tests
 * is not reached from there.
 */
export const noDeadFiles: Rule = (repository) => {
  const { edges, entries } = moduleGraphOf(repository)
  const missing = entries.filter((path) => repository.file(path) === undefined)
  const shipped = reachable(
    edges,
    entries.filter((path) => !isTest(path)),
  )
  const suites = repository.code.filter(({ path }) => isTest(path)).map(({ path }) => path)
  const tested = reachable(edges, suites)
  return [
    ...missing.map((path) => ({ path, line: 1, message: 'package.json exports it, but it is not there' })),
    ...repository.code
      .filter(({ path }) => isSource(path) && !isBrowser(path) && !/\.d\.ts$/.test(path))
      .filter(({ path }) => !shipped.has(path))
      .map(({ path }) => ({
        path,
        line: 1,
        message: tested.has(path) ? 'only tests import it' : 'nobody imports it',
      })),
    ...[...shipped].filter(isTest).map((path) => ({ path, line: 1, message: 'shipped code imports it' })),
    ...repository.code
      .filter(({ path }) => /\.(contract|fixture|spec-\w+)\.[cm]?[jt]s$/.test(path))
      .filter(({ path }) => !isImported(edges, path))
      .map(({ path }) => ({ path, line: 1, message: 'no spec imports it' })),
  ]
}

const isImported = (edges: ReadonlyMap<string, readonly string[]>, path: string): boolean =>
  [...edges.values()].some((targets) => targets.includes(path))

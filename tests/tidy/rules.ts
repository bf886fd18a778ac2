import { declaredDependencies, pinnedManifests } from './dependencies.js'
import { documentedCodes, documentedOptions, liveLinks, numberedDecisions, oneTitle } from './documents.js'
import { noDeadFiles, noImportCycle } from './imports.js'
import { bucketNames } from './names.js'
import type { Rule } from './repository.js'
import { noFocusedTests, noSilencers, numberedTodos } from './silencers.js'
import { fileLength, functionLength, lineLength } from './size.js'
import { noTestInBuild, packageWalls, projectReferences } from './walls.js'
import { intlInItsPlaces, worldOnlyInAdapters } from './world.js'

/** Each rule under the sentence that it holds the code to. */
export const rules = {
  'a function has at most 70 lines': functionLength,
  'a source file has at most 400 lines, a suite 800': fileLength,
  'a line of code has at most 120 columns': lineLength,
  'no file or folder is a bucket': bucketNames,
  'no file and no package imports itself in a circle': noImportCycle,
  'packages depend on each other as DESIGN.md says': packageWalls,
  'project references tell the same as package.json': projectReferences,
  'a build contains no test': noTestInBuild,
  'what is imported is declared, what is declared is used': declaredDependencies,
  'versions are pinned, and the floor of Node is the same everywhere': pinnedManifests,
  'every source is reached from an entry of its package': noDeadFiles,
  'unfinished work has the number of an issue': numberedTodos,
  'time, chance and timers are reached in adapters only': worldOnlyInAdapters,
  'Intl is used in recurrence and the command line only': intlInItsPlaces,
  'nothing tells the compiler or the linter to look away': noSilencers,
  'no test is left out': noFocusedTests,
  'every error code is in the reference': documentedCodes,
  'every option is documented': documentedOptions,
  'a Markdown file has one title': oneTitle,
  'links between the documents lead somewhere': liveLinks,
  'decisions are numbered without gaps': numberedDecisions,
} as const satisfies Record<string, Rule>

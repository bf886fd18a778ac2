import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { composeRuleProblems, environmentFileProblems } from './compose-rules.js'
import { readYaml, type Value, type YamlFile, yamlFilesIn } from './documents.js'
import { kubernetesRuleProblems } from './kubernetes-rules.js'
import { generatedMaps, isKustomization, kustomizationProblems, patchPaths } from './kustomize.js'
import type { Known } from './rules.js'
import { composeProblems, kubernetesProblems } from './schemas.js'

export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url))
const composeFile = 'infra/compose/compose.yaml'
const kubernetesFolder = 'infra/kubernetes'

export interface Checked {
  readonly path: string
  /** How many documents it has. */
  readonly documents: number
  readonly problems: readonly string[]
}

/** Every file for production, with what is wrong in it. */
export function checkFiles(known: Known, root = repositoryRoot): readonly Checked[] {
  const compose = readYaml(root, composeFile, '1.2')
  const example = readFileSync(join(root, 'infra/compose/.env.example'), 'utf8')
  const text = readFileSync(join(root, composeFile), 'utf8')
  const manifests = yamlFilesIn(root, kubernetesFolder).map((path) => readYaml(root, path, '1.1'))
  return [
    checked(compose, [...checkCompose(compose, known), ...environmentFileProblems(text, example)]),
    ...checkManifests(manifests, known),
  ]
}

const checked = (
  { path, documents, problems: unreadable }: YamlFile,
  problems: readonly string[],
): Checked => ({
  path,
  documents: documents.length,
  problems: [...unreadable, ...problems],
})

export const checkCompose = ({ path, documents }: YamlFile, known: Known): readonly string[] =>
  documents.flatMap((document) => {
    const wrong = composeProblems(document)
    return wrong.length > 0 ? wrong : composeRuleProblems(path, document, known)
  })

/** Manifests that belong together: what one names must be among them. */
export function checkManifests(files: readonly YamlFile[], known: Known): readonly Checked[] {
  const patches = patchPaths(files)
  const whole = files.filter((file) => !isKustomization(file) && !patches.has(file.path))
  const all: readonly Value[] = [...whole.flatMap(({ documents }) => documents), ...generatedMaps(files)]
  return files.map((file) => {
    if (isKustomization(file)) return checked(file, kustomizationProblems(file, files, known))
    const isPatch = patches.has(file.path)
    const problems = file.documents.flatMap((document) => {
      const wrong = kubernetesProblems(document, { isPatch })
      if (wrong.length > 0 || isPatch) return wrong
      return kubernetesRuleProblems(document, all, known)
    })
    return checked(file, problems)
  })
}

/** What the node itself says that it can be told. */
export function knownFromRepository(root = repositoryRoot): Known {
  const help = execFileSync(
    process.execPath,
    [join(root, 'services/scheduler/bin/almanac-node.js'), '--help'],
    {
      encoding: 'utf8',
    },
  )
  return {
    variables: new Set(help.match(/\bALMANAC_[A-Z_]+\b/g) ?? []),
    hasFile: (path) => existsSync(join(root, path)),
  }
}

/** One line for each file; the exit code. */
export function runCheck(write: (line: string) => void): number {
  const files = checkFiles(knownFromRepository())
  for (const { path, documents, problems } of files) {
    write(problems.length === 0 ? `ok     ${path} (${documents})` : `WRONG  ${path}`)
    for (const problem of problems) write(`         ${problem}`)
  }
  const wrong = files.filter(({ problems }) => problems.length > 0)
  write(`${files.length} files, ${wrong.length} wrong`)
  return wrong.length === 0 ? 0 : 1
}

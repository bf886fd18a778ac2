import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { repositoryOf, type TextFile } from './tidy/repository.js'
import { rules } from './tidy/rules.js'

// Goal: the repository keeps the rules of CONTRIBUTING.md. Method: every file that git tracks, or would on the
// next `git add`, is read once, and each rule is run over all of them. What the rules catch: tidy/rules.spec.ts.

const root = fileURLToPath(new URL('../', import.meta.url))
const repository = repositoryOf(trackedFiles())

it.each(Object.entries(rules))('%s', (_sentence, rule) => {
  const told = rule(repository).map(({ path, line, message }) => `${path}:${line} ${message}`)
  expect(told.sort()).toEqual([])
})

/** Oracles and lock files are data: no rule looks at them. */
function trackedFiles(): readonly TextFile[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64e6,
  })
  const texts = /\.([cm]?[jt]sx?|json|md|css|html|yml|yaml|sh|sql|png)$|^LICENSE$/
  return listed
    .split('\0')
    .filter((path) => texts.test(path) && !/\.oracle\.json$|(^|\/)package-lock\.json$/.test(path))
    .filter((path) => existsSync(root + path))
    .map((path) => ({ path, text: readFileSync(root + path, 'utf8') }))
}

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

// Goal: the CI's last lines count and name every failure, those too that no test stands for. Method: the counting
// script is run on made-up reports of vitest.

const root = fileURLToPath(new URL('../', import.meta.url))
const script = join(root, '.ci/count-tests.mjs')

interface Result {
  readonly status: string
  readonly fullName: string
  readonly failureMessages?: readonly string[]
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly Result[]
  }[]
}

const passes: Result = { status: 'passed', fullName: 'adds' }
const fails: Result = { status: 'failed', fullName: 'takes', failureMessages: ['Error: 1 is 2\n    at x'] }
const file = (name: string) => join(root, name)
const passedFile = { name: file('a.spec.ts'), status: 'passed', assertionResults: [passes] }
const failedFile = { name: file('b.spec.ts'), status: 'failed', assertionResults: [passes, fails] }
const brokenFile = {
  name: file('c.spec.ts'),
  status: 'failed',
  message: 'No such file',
  assertionResults: [],
}
const failedLine = 'b.spec.ts: takes: Error: 1 is 2     at x'
const brokenLine = 'c.spec.ts: No such file'

it.each<[told: string, report: Report, exitCode: number]>([
  ['2 0', { numPassedTests: 2, numFailedTests: 0, testResults: [passedFile, passedFile] }, 0],
  [`2 1\n${failedLine}`, { numPassedTests: 2, numFailedTests: 1, testResults: [passedFile, failedFile] }, 1],
  [`1 1\n${brokenLine}`, { numPassedTests: 1, numFailedTests: 0, testResults: [passedFile, brokenFile] }, 1],
  [
    `2 2\n${failedLine}\n${brokenLine}`,
    { numPassedTests: 2, numFailedTests: 1, testResults: [passedFile, failedFile, brokenFile] },
    1,
  ],
  // An error outside of every test: all are green, and the run is not.
  ['1 1', { numPassedTests: 1, numFailedTests: 0, testResults: [passedFile] }, 1],
])('tells %j', (told, report, exitCode) => {
  expect(count(JSON.stringify(report), exitCode)).toBe(`${told}\n`)
})

it('fails when there is no report', () => {
  expect(() => count('', 1)).toThrow()
})

function count(report: string, exitCode: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'almanac-ci-'))
  try {
    const path = join(folder, 'report.json')
    writeFileSync(path, report)
    return execFileSync(process.execPath, [script, path, String(exitCode)], {
      cwd: root,
      encoding: 'utf8',
      stdio: 'pipe',
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

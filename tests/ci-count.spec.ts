import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

// Goal: the CI's last line counts every failure, those too that no test stands for. Method: the counting script is run
// on made-up reports of vitest.

const script = fileURLToPath(new URL('../.ci/count-tests.mjs', import.meta.url))

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly { status: string; assertionResults: readonly { status: string }[] }[]
}

const passedFile = { status: 'passed', assertionResults: [{ status: 'passed' }] }
const failedFile = { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] }
const brokenFile = { status: 'failed', assertionResults: [] }

it.each<[told: string, report: Report, exitCode: number]>([
  ['2 0', { numPassedTests: 2, numFailedTests: 0, testResults: [passedFile, passedFile] }, 0],
  ['2 1', { numPassedTests: 2, numFailedTests: 1, testResults: [passedFile, failedFile] }, 1],
  ['1 1', { numPassedTests: 1, numFailedTests: 0, testResults: [passedFile, brokenFile] }, 1],
  ['2 2', { numPassedTests: 2, numFailedTests: 1, testResults: [passedFile, failedFile, brokenFile] }, 1],
  // An error outside of every test: all are green, and the run is not.
  ['1 1', { numPassedTests: 1, numFailedTests: 0, testResults: [passedFile] }, 1],
])('tells %s', (told, report, exitCode) => {
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
      encoding: 'utf8',
      stdio: 'pipe',
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

// Prints `PASSED FAILED` for a report of vitest and the exit code of its run.
import { readFileSync } from 'node:fs'

const [path = '', exitCode = '1'] = process.argv.slice(2)
const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(path, 'utf8'))
const broken = testResults.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && assertionResults.every((result) => result.status !== 'failed'),
).length
const told = numFailedTests + broken
const untold = exitCode !== '0' && told === 0 ? 1 : 0
process.stdout.write(`${numPassedTests} ${told + untold}\n`)

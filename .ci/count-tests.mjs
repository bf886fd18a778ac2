// Prints `PASSED FAILED` for a report of vitest and the exit code of its run, then a line for each that failed.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [path = '', exitCode = '1'] = process.argv.slice(2)
const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(path, 'utf8'))

const firstLine = (text = '') => text.replaceAll('\n', ' ').slice(0, 240)
const failed = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages }) => ({
      file: name,
      what: `${fullName}: ${firstLine(failureMessages?.[0])}`,
    })),
)
const broken = testResults
  .filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((result) => result.status !== 'failed'),
  )
  .map(({ name, message }) => ({ file: name, what: firstLine(message) }))

const told = numFailedTests + broken.length
const untold = exitCode !== '0' && told === 0 ? 1 : 0
process.stdout.write(`${numPassedTests} ${told + untold}\n`)
for (const { file, what } of [...failed, ...broken]) {
  process.stdout.write(`${relative(process.cwd(), file)}: ${what}\n`)
}

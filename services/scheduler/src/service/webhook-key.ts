import { readFileSync } from 'node:fs'
import { minKeyLength, SecretMaker } from '@almanac/adapters/webhooks'
import { StartProblem } from './start-problem.js'

/** What makes the secrets of all webhooks. Throws `StartProblem`; `mend`: what to do when there is no good key. */
export function webhookSecrets(path: string, mend: string): SecretMaker {
  let key: string
  try {
    key = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new StartProblem(`The key of webhooks can not be read: ${String(error)}`, error)
  }
  if (key.length >= minKeyLength) return new SecretMaker(key)
  throw new StartProblem(`${path} has no key of ${minKeyLength} characters or more. ${mend}`)
}

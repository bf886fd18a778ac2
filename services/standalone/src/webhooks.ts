import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '@almanac/adapters/sqlite'
import { HttpWebhookCaller, minKeyLength, SecretMaker } from '@almanac/adapters/webhooks'
import type { Clock, Random, WebhookAdapters } from '@almanac/engine'
import { type ProcessConfig, StartProblem } from '@almanac/scheduler/service'

interface Parts {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly version: string
}

/** What a standalone server sends webhooks with. `close` ends the connections that are kept. */
export function webhookAdapters(
  { data, webhookTargets: policy }: Pick<ProcessConfig, 'data' | 'webhookTargets'>,
  { store, clock, random, version }: Parts,
): WebhookAdapters & { readonly close: () => void } {
  const secrets = new SecretMaker(keyIn(data, random))
  const caller = new HttpWebhookCaller({ secrets, policy, clock, version })
  return { caller, progress: store.webhookProgress, runFeed: store.runFeed, close: () => caller.close() }
}

/** The key that all secrets are made with. Without the file that has it, receivers need new secrets. */
function keyIn(folder: string, random: Random): string {
  const path = join(folder, 'webhook.key')
  if (!existsSync(path)) {
    writeFileSync(path, `${random.token(32)}\n`, { mode: 0o600, flag: 'wx', flush: true })
    chmodSync(path, 0o600)
  }
  const key = readFileSync(path, 'utf8').trim()
  if (key.length >= minKeyLength) return key
  throw new StartProblem(
    `${path} has no key of ${minKeyLength} characters or more. Restore it from a backup, or delete it: then the ` +
      'receivers of all webhooks need new secrets.',
  )
}

import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '@almanac/adapters/sqlite'
import { HttpWebhookCaller } from '@almanac/adapters/webhooks'
import type { Clock, Random, WebhookAdapters } from '@almanac/engine'
import { type ProcessConfig, webhookSecrets } from '@almanac/scheduler/service'

interface Parts {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly version: string
}

/** What a standalone server sends webhooks with. `close` ends the connections that are kept. */
export function webhookAdapters(
  {
    data,
    webhookTargets: policy,
    webhookKeyFile,
  }: Pick<ProcessConfig, 'data' | 'webhookTargets' | 'webhookKeyFile'>,
  { store, clock, random, version }: Parts,
): WebhookAdapters & { readonly close: () => void } {
  const secrets = webhookSecrets(webhookKeyFile ?? keyFileIn(data, random), mend)
  const caller = new HttpWebhookCaller({ secrets, policy, clock, version })
  return { caller, progress: store.webhookProgress, runFeed: store.runFeed, close: () => caller.close() }
}

/** The file with the key that all secrets are made with. Without it, receivers need new secrets. */
function keyFileIn(folder: string, random: Random): string {
  const path = join(folder, 'webhook.key')
  if (!existsSync(path)) {
    writeFileSync(path, `${random.token(32)}\n`, { mode: 0o600, flag: 'wx', flush: true })
    chmodSync(path, 0o600)
  }
  return path
}

const mend = 'Restore it from a backup, or delete it: then the receivers of all webhooks need new secrets.'

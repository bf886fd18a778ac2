import { type CommandDeps, commandParts } from '../commands/parts.js'
import { WebhookCommands } from '../commands/webhook-commands.js'
import type { RunIntake } from '../intake/types.js'
import type { WebhookAdapters } from '../ports/webhook.js'
import type { LiveWebhooks } from './book.js'
import { WebhookService } from './service.js'

/** Webhooks of all namespaces. */
export interface WebhookOffice {
  readonly commands: WebhookCommands
  readonly service: WebhookService
}

interface OfficeParts {
  readonly deps: CommandDeps
  readonly book: LiveWebhooks
  readonly intake: RunIntake | null
  readonly onFault: (message: string, fault: unknown) => void
}

export function webhookOffice(
  adapters: WebhookAdapters,
  { deps, book, intake, onFault }: OfficeParts,
): WebhookOffice {
  const { caller } = adapters
  const limits = { problemOf: (url: string) => caller.problemOf(url), hasRuns: intake !== null }
  const commands = new WebhookCommands(commandParts(deps), limits, caller.keyId)
  const { log, views, clock, random } = deps
  return {
    commands,
    service: new WebhookService({ adapters, book, commands, intake, log, views, clock, random, onFault }),
  }
}

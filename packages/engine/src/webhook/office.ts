import { partitionOf, type RecordedEvent } from '@almanac/domain'
import { type CommandDeps, commandParts } from '../commands/parts.js'
import { WebhookCommands } from '../commands/webhook-commands.js'
import type { RunIntake } from '../intake/types.js'
import type { Stop } from '../ports/clock.js'
import type { WebhookAdapters, WebhookProgressStore } from '../ports/webhook.js'
import { LiveWebhooks } from './book.js'
import { LoggedWebhookProgress } from './logged-progress.js'
import { type Sharing, WebhookService } from './service.js'

/** Webhooks of all namespaces. */
export interface WebhookOffice {
  readonly commands: WebhookCommands
  readonly service: WebhookService
  /** Reads what there is; before the service runs. */
  load(stop: Stop): Promise<void>
  /** Takes events of all streams, as they are applied. */
  apply(event: RecordedEvent): void
}

interface OfficeParts {
  readonly deps: CommandDeps
  readonly intake: RunIntake | null
  readonly nodeId: string
  readonly partitions: number
  /** Whether this node owns the partition now. */
  readonly owns: (partition: number) => boolean
  readonly retryMs: number
  readonly onFault: (message: string, fault: unknown) => void
}

export function webhookOffice(adapters: WebhookAdapters, parts: OfficeParts): WebhookOffice {
  const { deps, intake, retryMs, onFault } = parts
  const { log, views, clock, random } = deps
  const { caller, progress } = adapters
  const limits = { problemOf: (url: string) => caller.problemOf(url), hasRuns: intake !== null }
  const commands = new WebhookCommands(commandParts(deps), limits, caller.keyId)
  const book = new LiveWebhooks({ log, clock, retryMs, onFault })
  const { sharing, apply } = progress === undefined ? amongNodes(parts) : alone(progress)
  const service = { adapters, sharing, book, commands, intake, log, views, clock, random, onFault }
  return {
    commands,
    service: new WebhookService(service),
    load: (stop) => book.load(stop),
    apply: (event) => {
      book.apply(event)
      apply(event)
    },
  }
}

interface Shared {
  readonly sharing: Sharing
  readonly apply: (event: RecordedEvent) => void
}

const alone = (progress: WebhookProgressStore): Shared => ({
  sharing: { progress, saveEveryMs: 1_000, isOurs: () => true, askEveryMs: 30_000 },
  apply: () => {},
})

/** A webhook is served by the owner of the partition that its id falls into. */
function amongNodes({ deps: { log, clock }, nodeId, partitions, owns }: OfficeParts): Shared {
  const progress = new LoggedWebhookProgress({ log, clock, nodeId })
  const isOurs = (webhookId: string) => owns(partitionOf(webhookId, partitions))
  return {
    sharing: { progress, saveEveryMs: 60_000, isOurs, askEveryMs: 1_000 },
    apply: (event) => progress.apply(event),
  }
}

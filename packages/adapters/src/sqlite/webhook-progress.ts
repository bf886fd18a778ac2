import type { WebhookProgress, WebhookProgressStore } from '@almanac/engine'
import type { Committer } from './committer.js'
import type { Database, Statement } from './database.js'
import { reading } from './faults.js'

/** One row for each webhook, in the main file: what it says is as durable as the events. */
export class SqliteWebhookProgress implements WebhookProgressStore {
  readonly #committer: Committer
  readonly #load: Statement
  readonly #save: Statement
  readonly #remove: Statement

  constructor(database: Database, committer: Committer) {
    this.#committer = committer
    this.#load = database.prepare('SELECT body FROM webhook_progress WHERE webhook_id = ?')
    this.#remove = database.prepare('DELETE FROM webhook_progress WHERE webhook_id = ?')
    this.#save = database.prepare(
      `INSERT INTO webhook_progress (webhook_id, body) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET body = excluded.body`,
    )
  }

  async load(webhookId: string): Promise<WebhookProgress | undefined> {
    return this.peek(webhookId)
  }

  async save(webhookId: string, progress: WebhookProgress): Promise<void> {
    const body = JSON.stringify(progress)
    await this.#committer.submit(() => void this.#save.run(webhookId, body))
  }

  async remove(webhookId: string): Promise<void> {
    await this.#committer.submit(() => void this.#remove.run(webhookId))
  }

  peek(webhookId: string): WebhookProgress | undefined {
    return reading(() => {
      const row = this.#load.get(webhookId) as { readonly body: string } | undefined
      return row === undefined ? undefined : (JSON.parse(row.body) as WebhookProgress)
    })
  }
}

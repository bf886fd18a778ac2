import {
  type ApiKey,
  type CommandContext,
  decideKeys,
  type KeyCommand,
  keysStream,
  type Refusal,
} from '@almanac/domain'
import type { Result } from '@almanac/recurrence'
import type { KeyCommands, NewKey } from '../application.js'
import type { Applied, Outcome } from '../outcome.js'
import { tokenOf } from './answers.js'
import { handleInTurn } from './handle.js'
import type { CommandParts } from './parts.js'

/** The commands on API keys, which are all in one stream. */
export class ApiKeyCommands implements KeyCommands {
  private readonly parts: CommandParts

  constructor(parts: CommandParts) {
    this.parts = parts
  }

  createKey(context: CommandContext, { keyId, secretHash, isOpen }: NewKey, input: unknown): Outcome<ApiKey> {
    return this.run(context, (at) => ({ type: 'create', keyId, secretHash, input, at, isOpen }))
  }

  revokeKey(context: CommandContext, keyId: string): Outcome<ApiKey> {
    return this.run(context, () => ({ type: 'revoke', keyId }))
  }

  useKey(context: CommandContext, keyId: string): Outcome<ApiKey> {
    return this.run(context, (at) => ({ type: 'use', keyId, at }))
  }

  private async run(
    context: CommandContext,
    commandAt: (at: number) => KeyCommand,
  ): Promise<Result<Applied<ApiKey>, Refusal>> {
    const asked = commandAt(context.at)
    const handled = await handleInTurn(this.parts, this.parts.keyRing, {
      stream: keysStream,
      context,
      token: tokenOf(context, this.parts.random),
      decide: ({ state }, at) => decideKeys(state, commandAt(at)),
    })
    if (!handled.ok) return handled
    const { state, position, events, repeated } = handled.value
    const created = events.find(({ type }) => type === 'ApiKeyCreated')
    // A repeated creation answers the key that it made then, whose secret is not that of this request.
    const { keyId } = created === undefined ? asked : (created.data as { readonly keyId: string })
    const key = state?.keys.get(keyId)
    if (key === undefined) throw new Error('an accepted command leaves a key')
    return { ok: true, value: { state: key, position, created: created !== undefined, repeated } }
  }
}

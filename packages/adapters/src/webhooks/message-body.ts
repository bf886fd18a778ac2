import type { WebhookContent, WebhookMessage } from '@almanac/engine'
import { feedEventJson, isoOf, isoOrNull, runCommandJson, runJson } from '@almanac/protocol'

/** No message has more bytes than this. A run command never has. */
export const maxBodyBytes = 262_144

/**
 * The body of a message: type, time and data, as Standard Webhooks names them. Of what would be too large only the
 * outline is told, with `truncated`: the rest can be read by its id.
 */
export function bodyOf({ type, at, content }: WebhookMessage): string {
  const textOf = (data: object) => JSON.stringify({ type, timestamp: isoOf(at), data })
  const body = textOf(dataOf(content))
  return Buffer.byteLength(body) <= maxBodyBytes ? body : textOf(outlineOf(content))
}

function dataOf(content: WebhookContent): object {
  switch (content.kind) {
    case 'event':
      return feedEventJson(content.event)
    case 'run':
      return runJson(content.run)
    case 'command': {
      const { run, leaseToken } = content.leased
      const leaseExpiresAt = isoOrNull(run.leaseExpiresAt)
      return { ...runCommandJson(run.command, run.attempt), leaseToken, leaseExpiresAt }
    }
    case 'ping': {
      const { webhookId, name, namespace } = content
      return { namespace, webhook: { id: webhookId, name } }
    }
  }
}

function outlineOf(content: WebhookContent): object {
  if (content.kind === 'event') {
    return { ...feedEventJson(content.event), text: '', changes: [], data: {}, truncated: true }
  }
  return content.kind === 'run'
    ? { ...runJson(content.run), args: [], kwargs: {}, headers: {}, truncated: true }
    : dataOf(content)
}

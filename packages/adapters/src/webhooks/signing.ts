import { createHash, createHmac, hkdfSync } from 'node:crypto'

/** The shortest key that secrets are made with, in characters. */
export const minKeyLength = 32

/**
 * Makes the secrets of webhooks from one key, each from the id of its webhook and its number. So no secret is stored
 * anywhere, and none can be read out of the event log or a backup of it.
 */
export class SecretMaker {
  /** Tells the key from every other, and nothing about it. */
  readonly keyId: string
  private readonly key: string

  /** Throws when the key is too short to be any good. */
  constructor(key: string) {
    if (key.length < minKeyLength) throw new Error(`A key must have at least ${minKeyLength} characters`)
    this.key = key
    this.keyId = createHash('sha256').update(`almanac webhook key|${key}`).digest('hex').slice(0, 16)
  }

  /** As its receiver has it: `whsec_` and 32 bytes in Base64. */
  secretOf(webhookId: string, generation: number): string {
    const bytes = hkdfSync('sha256', this.key, 'almanac webhook', `${webhookId}|${generation}`, 32)
    return `whsec_${Buffer.from(bytes).toString('base64')}`
  }
}

/** What is signed, as Standard Webhooks says. */
export interface Signed {
  readonly id: string
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly body: string
}

/** The header `webhook-signature`: one signature for each secret, with blanks between. */
export const signatureOf = ({ id, timestamp, body }: Signed, secrets: readonly string[]): string =>
  secrets
    .map((secret) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
    })
    .join(' ')

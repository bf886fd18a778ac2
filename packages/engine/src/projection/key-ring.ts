import { type ApiKey, evolveKeys, type KeyRing, keysStream } from '@almanac/domain'
import { LiveStream, type LiveStreamParts } from './live-stream.js'

/** The API keys: no request can be let in without them. */
export class LiveKeyRing extends LiveStream<KeyRing> {
  constructor(parts: LiveStreamParts) {
    super(parts, { stream: keysStream, what: 'the API keys', evolve: evolveKeys })
  }

  key(keyId: string): ApiKey | undefined {
    return this.state()?.keys.get(keyId)
  }

  /** In the order in which they were made. Undefined before `load` is through. */
  all(): readonly ApiKey[] | undefined {
    return this.isLoaded() ? [...(this.state()?.keys.values() ?? [])] : undefined
  }
}

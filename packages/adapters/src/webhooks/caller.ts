import {
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
  type RequestOptions,
} from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { rootCertificates } from 'node:tls'
import { type DeliveryAnswer, isDelivered } from '@almanac/domain'
import type { Clock, WebhookCall, WebhookCaller } from '@almanac/engine'
import { addressOf } from './addresses.js'
import { checkedLookup, type Resolve, systemResolve, TargetRefused } from './checked-lookup.js'
import { bodyOf } from './message-body.js'
import { retryAfterMs } from './retry-after.js'
import { type SecretMaker, signatureOf } from './signing.js'
import { portOf, type TargetPolicy, Targets } from './targets.js'

export interface HttpCallerOptions {
  readonly secrets: SecretMaker
  readonly policy: TargetPolicy
  readonly clock: Pick<Clock, 'now' | 'elapsed'>
  /** Told to receivers. */
  readonly version: string
  /** Certificates that are trusted beside those of the public Internet, as PEM. @default none */
  readonly ca?: string
  /** From the begin of the connection to the end of the answer. @default 10 000 */
  readonly timeoutMs?: number
  /** @default the machine's own way */
  readonly resolve?: Resolve
}

/** Of an answer nothing but the status counts; one that goes on for longer is cut off. */
const maxAnswerBytes = 65_536
const idleSocketMs = 10_000

/** Posts messages with Node's own HTTP. It goes through no proxy, since a proxy would look the host up anew. */
export class HttpWebhookCaller implements WebhookCaller {
  readonly keyId: string
  private readonly options: HttpCallerOptions
  private readonly targets: Targets
  private readonly timeoutMs: number
  private readonly plain: PlainAgent
  private readonly tls: TlsAgent

  constructor(options: HttpCallerOptions) {
    this.options = options
    this.keyId = options.secrets.keyId
    this.targets = new Targets(options.policy)
    this.timeoutMs = options.timeoutMs ?? 10_000
    const kept = { keepAlive: true, timeout: idleSocketMs, maxFreeSockets: 64 }
    this.plain = new PlainAgent(kept)
    const { ca } = options
    this.tls = new TlsAgent({ ...kept, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) })
  }

  secretOf(webhookId: string, generation: number): string {
    return this.options.secrets.secretOf(webhookId, generation)
  }

  problemOf(url: string): string | undefined {
    return this.targets.problemOf(url)
  }

  hostOf(url: string): string {
    return URL.canParse(url) ? new URL(url).host : url
  }

  async post(call: WebhookCall): Promise<DeliveryAnswer> {
    const begunAt = this.options.clock.elapsed()
    const took = () => Math.round(this.options.clock.elapsed() - begunAt)
    try {
      const { status, retryAfter } = await this.send(call)
      const error = isDelivered({ status }) ? null : wordsOf(status)
      return { status, retryAfterMs: retryAfterMs(retryAfter, this.options.clock.now()), error, ms: took() }
    } catch (error) {
      return { status: null, retryAfterMs: null, error: reasonOf(error, this.timeoutMs), ms: took() }
    }
  }

  /** Ends the connections that are kept. */
  close(): void {
    this.plain.destroy()
    this.tls.destroy()
  }

  private async send({ url: text, webhookId, generations, message }: WebhookCall): Promise<Answer> {
    const problem = this.targets.problemOf(text)
    if (problem !== undefined) throw new TargetRefused(`the address ${problem}`)
    const url = new URL(text)
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    // A host that is an address is not looked up, so it is checked here.
    const refused =
      addressOf(host) === undefined ? undefined : this.targets.problemAt(host, portOf(url), host)
    if (refused !== undefined) throw new TargetRefused(refused)
    const body = bodyOf(message)
    const timestamp = Math.floor(this.options.clock.now() / 1_000)
    const secrets = generations.map((generation) => this.secretOf(webhookId, generation))
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'user-agent': `Almanac/${this.options.version}`,
      'webhook-id': message.id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatureOf({ id: message.id, timestamp, body }, secrets),
    }
    const exchange = { url, headers, body, signal: AbortSignal.timeout(this.timeoutMs) }
    try {
      return await this.exchange(exchange)
    } catch (error) {
      // The receiver had closed a kept connection: nothing is wrong with it.
      if (!(error instanceof StaleConnection)) throw error
      return await this.exchange(exchange)
    }
  }

  private exchange({ url, headers, body, signal }: Exchange): Promise<Answer> {
    const { targets, plain, tls } = this
    const isTls = url.protocol === 'https:'
    const options: RequestOptions = {
      method: 'POST',
      headers,
      agent: isTls ? tls : plain,
      lookup: checkedLookup(targets, portOf(url), this.options.resolve ?? systemResolve),
      signal,
    }
    return new Promise((resolve, reject) => {
      const request = (isTls ? tlsRequest : plainRequest)(url, options)
      request.on('response', (response) => resolve(answerOf(response)))
      request.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        reject(isStale ? new StaleConnection() : error)
      })
      request.end(body)
    })
  }
}

interface Exchange {
  readonly url: URL
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string
  readonly signal: AbortSignal
}

interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
}

class StaleConnection extends Error {}

/** Reads the answer to its end, so that the connection can be used again, unless it is too long for that. */
async function answerOf(response: IncomingMessage): Promise<Answer> {
  const answer = { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] }
  let bytes = 0
  try {
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length
      if (bytes > maxAnswerBytes) break
    }
  } catch {
    // It has said what counts.
  }
  return answer
}

const wordsOf = (status: number): string =>
  status >= 300 && status < 400 ? `answered ${status}: redirects are not followed` : `answered ${status}`

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'AbortError' || error.name === 'TimeoutError')
    return `no answer within ${timeoutMs / 1_000} s`
  const code = (error as NodeJS.ErrnoException).code
  const message = error.message === '' && error instanceof AggregateError ? firstOf(error) : error.message
  return (
    code === undefined || message.includes(code) || error instanceof TargetRefused
      ? message
      : `${message} (${code})`
  ).slice(0, 300)
}

const firstOf = (error: AggregateError): string => {
  const [first] = error.errors as readonly unknown[]
  return first instanceof Error ? first.message : 'no connection'
}

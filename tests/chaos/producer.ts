import { type Random, unavailable } from '@almanac/engine'
import type { AnswerRecord } from '@almanac/history'
import { between, chance, pick } from './draw.js'
import type { Body } from './specs.js'

/** Where a producer finds a node. */
export interface Door {
  readonly name: string
  readonly url: string
}

export interface Request {
  /** For the record. */
  readonly command: string
  readonly namespace: string
  readonly taskId: string | null
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the namespace. */
  readonly path: string
  readonly body?: Body
  readonly headers?: Readonly<Record<string, string>>
}

/** What was answered with success. */
export interface Answer {
  readonly body: Body
  readonly position: number
}

interface ProducerParts {
  readonly name: string
  readonly random: Random
  readonly doors: readonly Door[]
  readonly onAnswer: (answer: AnswerRecord) => void
  /** An answer that no caller should ever get. */
  readonly onWrongAnswer: (message: string) => void
}

/** How requests have ended. */
export interface Requests {
  sent: number
  answered: number
  refused: number
  givenUp: number
  fenced: number
}

/** A caller of the API: it asks any node, and after a fault asks another with the same idempotency key. */
export class Producer {
  readonly requests: Requests = { sent: 0, answered: 0, refused: 0, givenUp: 0, fenced: 0 }
  private readonly parts: ProducerParts
  private keys = 0

  constructor(parts: ProducerParts) {
    this.parts = parts
  }

  /** Undefined: refused, or given up without an answer. */
  async send(request: Request): Promise<Answer | undefined> {
    const { random, name, doors } = this.parts
    this.keys += 1
    const idempotencyKey = chance(random, 0.8) ? `${name}-${this.keys}` : null
    const isFenced = request.taskId !== null && chance(random, fencedShare)
    const sentAt = Date.now()
    this.requests.sent += 1
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      try {
        const answer = await this.ask(pick(random, doors), request, idempotencyKey, isFenced)
        if (answer === 'refused') {
          this.requests.refused += 1
          return undefined
        }
        this.record(request, { ...answer, sentAt, idempotencyKey })
        return answer
      } catch (fault) {
        // Without a key, a command whose outcome is unknown would be applied twice; and some callers just give up.
        const isOver = idempotencyKey === null || chance(random, givenUpShare)
        if (isOver && fault !== notTaken) break
      }
      await new Promise((resolve) => setTimeout(resolve, between(random, 200, 2_000)))
    }
    this.requests.givenUp += 1
    return undefined
  }

  /** Throws `notTaken` when surely nothing was done, anything else when nobody knows. */
  private async ask(
    door: Door,
    { method, namespace, path, body, headers }: Request,
    idempotencyKey: string | null,
    isFenced: boolean,
  ): Promise<(Answer & { readonly isFenced: boolean }) | 'refused'> {
    const response = await fetch(
      `${door.url}/v1/namespaces/${namespace}${path}${isFenced ? '?wait=fenced' : ''}`,
      {
        method,
        signal: AbortSignal.timeout(patienceMs),
        headers: {
          ...headers,
          'almanac-actor': this.parts.name,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
    )
    const text = await response.text()
    if (response.ok) {
      return {
        body: text === '' ? {} : (JSON.parse(text) as Body),
        position: Number(response.headers.get('almanac-position')),
        isFenced: response.headers.get('almanac-fence') === 'fenced',
      }
    }
    if (response.status === 503) throw notTaken
    const what = `${door.name} answered ${method} ${path} with ${response.status}: ${text.slice(0, 500)}`
    if (!refusals.has(response.status)) this.parts.onWrongAnswer(what)
    if (response.status >= 500) throw new Error(what)
    return 'refused'
  }

  private record(
    { command, namespace, taskId }: Request,
    {
      body,
      position,
      isFenced,
      sentAt,
      idempotencyKey,
    }: Answer & Pick<AnswerRecord, 'isFenced' | 'sentAt' | 'idempotencyKey'>,
  ): void {
    this.requests.answered += 1
    if (isFenced) this.requests.fenced += 1
    this.parts.onAnswer({
      kind: 'answer',
      sentAt,
      answeredAt: Date.now(),
      idempotencyKey,
      position,
      command,
      namespace,
      taskId: taskId ?? (command.endsWith('Task') && typeof body.id === 'string' ? body.id : null),
      isFenced,
    })
  }
}

const notTaken = unavailable('the node says that it did nothing')
/** What a caller may be told: it came too late, or somebody else was first. */
const refusals: ReadonlySet<number> = new Set([404, 409, 412, 422, 503, 504])
const attempts = 6
const patienceMs = 15_000
const fencedShare = 0.3
const givenUpShare = 0.3

import { outcomeUnknown, unavailable } from '@almanac/engine'
import type { MemoryTransactionLog } from './memory-log.fixture.js'
import type { LogRecord, TransactionLog, Transactor } from './transaction-log.js'

type Call = 'takeOver' | 'send' | 'commit' | 'abort' | 'close'

/**
 * What the next call of that kind meets. `unavailable`: it is not done. `unknown`: neither, but that can't be known;
 * `unknown, done`: it is done. `hang`: it is never answered. `bug`: a fault that is no port's. A number: it is done
 * after so many ms. A function: called before it is done. `refused`: the topic can't be had.
 */
type Twist =
  | 'fenced'
  | 'unavailable'
  | 'unknown'
  | 'unknown, done'
  | 'hang'
  | 'bug'
  | number
  | (() => Promise<void>)
  | { readonly refused: string }

/** A log whose calls are written down, and go wrong when the script says so. */
export class ScriptedLog implements TransactionLog {
  /** As `send#2` for a send by the second transactor that was handed out. */
  readonly calls: string[] = []
  readonly inner: MemoryTransactionLog
  private readonly sleep: (ms: number) => Promise<void>
  private readonly script: { readonly call: Call; readonly twist: Twist }[] = []
  private transactors = 0
  private breakReading = (_: Error): void => {}

  constructor(inner: MemoryTransactionLog, sleep: (ms: number) => Promise<void>) {
    this.inner = inner
    this.sleep = sleep
  }

  next(call: Call, twist: Twist): void {
    this.script.push({ call, twist })
  }

  /** Whoever reads gets a fault instead of the next records. */
  breakOff(): void {
    this.breakReading(new Error('The connection broke'))
  }

  async takeOver(transactionalId: string): Promise<Transactor> {
    const id = ++this.transactors
    return await this.perform('takeOver', id, async () =>
      this.watched(await this.inner.takeOver(transactionalId), id),
    )
  }

  async *follow(...args: Parameters<TransactionLog['follow']>): ReturnType<TransactionLog['follow']> {
    const broken = new Promise<never>((_, reject) => {
      this.breakReading = reject
    })
    const reading = this.inner.follow(...args)[Symbol.asyncIterator]()
    for (;;) {
      const { done, value } = await Promise.race([reading.next(), broken])
      if (done) return
      yield value
    }
  }

  private watched(holder: Transactor, id: number): Transactor {
    return {
      send: (records: readonly LogRecord[]) =>
        this.perform(
          'send',
          id,
          () => holder.send(records),
          fenced,
          (topic) => ({
            outcome: 'refused',
            topics: [topic],
            message: 'no right',
          }),
        ),
      commit: () => this.perform('commit', id, () => holder.commit(), 'fenced'),
      abort: () => this.perform('abort', id, () => holder.abort()),
      close: () => this.perform('close', id, () => holder.close()),
    }
  }

  private async perform<T>(
    call: Call,
    id: number,
    work: () => Promise<T>,
    whenFenced?: T,
    whenRefused?: (topic: string) => T,
  ): Promise<T> {
    this.calls.push(`${call}#${id}`)
    const at = this.script.findIndex((entry) => entry.call === call)
    const twist = at < 0 ? undefined : this.script.splice(at, 1)[0]?.twist
    if (twist === 'fenced' && whenFenced !== undefined) return whenFenced
    if (twist === 'unavailable') throw unavailable('Not done')
    if (twist === 'unknown') throw outcomeUnknown('Who knows')
    if (twist === 'hang') return await new Promise<never>(() => {})
    if (twist === 'bug') throw new TypeError('A bug')
    if (typeof twist === 'object' && whenRefused !== undefined) return whenRefused(twist.refused)
    if (typeof twist === 'number') await this.sleep(twist)
    if (typeof twist === 'function') await twist()
    const result = await work()
    if (twist === 'unknown, done') throw outcomeUnknown('Who knows')
    return result
  }
}

const fenced = { outcome: 'fenced' } as const

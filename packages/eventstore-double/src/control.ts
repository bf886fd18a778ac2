import type { EventStoreDouble } from './double.js'
import type { Faults } from './faults.js'
import { newId } from './world.js'

type Settable = Pick<
  Faults,
  | 'dropAnswers'
  | 'cutAfterApply'
  | 'timeoutAfterApply'
  | 'tooBusy'
  | 'repeatsWithoutPosition'
  | 'forgetsRepeats'
  | 'answerDelayMs'
  | 'leader'
  | 'frozenAt'
>

/** What a double that runs as a process is told over its standard input, one line of JSON each. */
export type Order =
  | { readonly do: 'set'; readonly faults: Partial<Settable> }
  | { readonly do: 'hang' | 'silence' | 'release' | 'heal' | 'disconnect' | 'scavenge' | 'head' }
  /** Events of somebody else, written as the system itself would. */
  | { readonly do: 'foreign'; readonly stream: string; readonly count: number }

const settable = new Set<string>([
  'dropAnswers',
  'cutAfterApply',
  'timeoutAfterApply',
  'tooBusy',
  'repeatsWithoutPosition',
  'forgetsRepeats',
  'answerDelayMs',
  'leader',
  'frozenAt',
])

/** Carries an order out; what it answers goes back as one line of JSON. */
export async function obey(double: EventStoreDouble, order: Order): Promise<unknown> {
  const { faults, log } = double
  switch (order.do) {
    case 'set': {
      const unknown = Object.keys(order.faults).filter((name) => !settable.has(name))
      if (unknown.length > 0) throw new Error(`There is no fault called ${unknown.join(', ')}.`)
      Object.assign(faults, order.faults)
      return null
    }
    case 'hang':
      faults.hang()
      return null
    case 'silence':
      faults.silenceSubscriptions()
      return null
    case 'release':
      faults.release()
      return null
    case 'heal':
      faults.heal()
      return null
    case 'disconnect':
      await double.disconnectAll()
      return null
    case 'scavenge':
      return log.scavenge()
    case 'head':
      return log.last
    case 'foreign':
      await log.append(order.stream, -2, foreignEvents(order.count))
      return log.last
    default:
      throw new Error(`There is no order called ${JSON.stringify(order)}.`)
  }
}

const foreignEvents = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    id: newId(),
    type: 'SomethingElse',
    isJson: true,
    data: Buffer.from(JSON.stringify({ n })),
    metadata: new Uint8Array(),
  }))

import type { RunCommand } from '@almanac/domain'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runMessageJson } from './run-message.js'
import { runMessageText } from './run-message-text.js'

const text = fc.string({ unit: 'binary', maxLength: 20 })
const instant = fc.integer({ min: 0, max: 4_102_444_800_000 })
const whole = fc.nat(1_000)
const json = fc.jsonValue() as fc.Arbitrary<never>

const run: fc.Arbitrary<RunCommand> = fc
  .record(
    {
      runId: text,
      namespace: text,
      taskId: text,
      taskName: text,
      task: text,
      args: fc.array(json),
      kwargs: fc.dictionary(text, json),
      headers: fc.dictionary(text, text),
      queue: text,
      exchange: fc.option(text),
      routingKey: fc.option(text),
      priority: fc.option(whole),
      scheduledAt: instant,
      emittedAt: instant,
      expiresAt: fc.option(instant),
      kind: fc.constantFrom('scheduled', 'manual', 'backfill', 'catchUp'),
      overlap: fc.constantFrom('allow', 'skip', 'queueOne', 'cancelRunning'),
      maxAttempts: whole,
      taskRevision: whole,
      partition: whole,
      seq: whole,
      replayed: fc.constant(true as const),
      traceparent: text,
    },
    {
      requiredKeys: [
        ...(['runId', 'namespace', 'taskId', 'taskName', 'task', 'args', 'kwargs', 'headers'] as const),
        ...([
          'queue',
          'exchange',
          'routingKey',
          'priority',
          'scheduledAt',
          'emittedAt',
          'expiresAt',
        ] as const),
        ...(['kind', 'overlap', 'maxAttempts', 'taskRevision', 'partition', 'seq'] as const),
      ],
    },
  )
  .map((made) => made as unknown as RunCommand)

const same = (any: RunCommand, term: number) =>
  expect(runMessageText(any, term)).toBe(JSON.stringify(runMessageJson(any, term)))

it('is what JSON makes of the message, the first time and again', () => {
  fc.assert(
    fc.property(run, whole, (any, term) => {
      same(any, term)
      same({ ...any, runId: 'another', scheduledAt: any.scheduledAt + 1 }, term)
    }),
  )
})

it('is not taken in by arguments that several tasks share, nor by a task that has changed', () => {
  fc.assert(
    fc.property(run, run, whole, (one, other, term) => {
      same(one, term)
      // One member after the other is another task's, with the arguments of the first.
      for (const name of Object.keys(one) as (keyof RunCommand)[]) {
        if (name !== 'args' && name in other) same({ ...one, [name]: other[name] }, term)
      }
      same(one, term)
    }),
  )
})

import type { Webhook } from '@almanac/domain'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RunIntake } from '../intake/types.js'
import { ManualClock } from '../memory/manual-clock.js'
import { SeededRandom } from '../memory/seeded-random.js'
import { sampleRun } from '../ports/samples.contract.js'
import { createStop } from '../stop.js'
import { HostGates } from './sending.js'
import { RunPoster } from './worker.js'

let clock: ManualClock
let stop: ReturnType<typeof createStop>
let hosts: HostGates
let posted: string[]
let asked: string[]
let heartbeat: 'ok' | 'lost'
beforeEach(() => {
  clock = new ManualClock(0)
  stop = createStop()
  hosts = new HostGates()
  posted = []
  asked = []
  heartbeat = 'ok'
})
afterEach(() => stop.stop())

const spec = {
  name: 'x',
  url: 'https://hooks.example/',
  enabled: true,
  runs: { queue: 'q', leaseSeconds: 30 },
}
const webhook = {
  webhookId: 'w',
  namespace: 'default',
  generation: 1,
  previousUntil: null,
  spec,
} as unknown as Webhook

function poster(current: () => Webhook | undefined = () => webhook) {
  const waiting = ['a', 'b']
  const intake = {
    lease: async () => {
      asked.push('lease')
      const runId = waiting.shift()
      if (runId === undefined) await clock.sleep(3_600_000, stop)
      return runId === undefined ? [] : [{ run: { command: sampleRun(runId), attempt: 1 }, leaseToken: 't' }]
    },
    ack: async (_: string, runId: string) => void asked.push(`ack ${runId}`),
    fail: async (_: string, runId: string) => void asked.push(`fail ${runId}`),
    heartbeat: async (_: string, runId: string) => {
      asked.push(`heartbeat ${runId}`)
      return { reply: heartbeat, cancelRequested: false }
    },
  } as unknown as RunIntake
  const caller = {
    keyId: 'k',
    secretOf: () => '',
    problemOf: () => undefined,
    hostOf: (url: string) => url,
    post: async ({ message }: { readonly message: { readonly id: string } }) => {
      posted.push(message.id)
      return { status: 200, retryAfterMs: null, error: null, ms: 1 }
    },
  }
  const random = new SeededRandom(1)
  const onFault = (message: string, fault: unknown) => {
    throw new Error(message, { cause: fault })
  }
  return new RunPoster({ caller, hosts, clock, random, onFault, disable: async () => {} }, intake, current)
}

/** Messages to the same host take all its room until they are let go. */
function crowd(): () => void {
  let leave = () => {}
  const left = new Promise<void>((resolve) => {
    leave = resolve
  })
  for (let n = 0; n < 8; n += 1) void hosts.run(spec.url, () => left)
  return leave
}

it('posts what is leased, and says that it is done', async () => {
  void poster().run(stop)
  await clock.advance(10)
  expect(posted).toEqual(['msg_a_1', 'msg_b_1'])
  expect(asked.filter((one) => one !== 'lease')).toEqual(['ack a', 'ack b'])
})

it('keeps a run by a heartbeat that waited for room at its host', async () => {
  const leave = crowd()
  void poster().run(stop)
  await clock.advance(20_000)
  expect(posted).toEqual([])
  leave()
  await clock.advance(10)
  expect(posted).toEqual(['msg_a_1', 'msg_b_1'])
  expect(asked.filter((one) => one.startsWith('heartbeat'))).toEqual(['heartbeat a', 'heartbeat b'])
})

it('does not post a run that is no longer ours when there is room', async () => {
  const leave = crowd()
  heartbeat = 'lost'
  void poster().run(stop)
  await clock.advance(40_000)
  leave()
  await clock.advance(10)
  expect(posted).toEqual([])
  expect(asked.filter((one) => /ack|fail/.test(one))).toEqual([])
})

it('asks for no runs while none are wanted, and at once when they are', async () => {
  let present = { ...webhook, spec: { ...webhook.spec, enabled: false } }
  const lanes = poster(() => present)
  void lanes.run(stop)
  await clock.advance(60_000)
  expect(asked).toEqual([])
  present = webhook
  lanes.wake()
  await clock.advance(10)
  expect(posted).toHaveLength(2)
})

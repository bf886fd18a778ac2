import { newKey } from '@almanac/adapters/tokens'
import { LocalRateLimiter, type RateLimiter, SeededRandom } from '@almanac/engine'
import { afterEach, expect, it } from 'vitest'
import { fakeApi, type TestApi, tasks } from '../../test-support/fake-api.js'

// RELIABILITY.md section 7, row 65.

const bootstrap = newKey(new SeededRandom(5))
const headers = { authorization: `Bearer ${bootstrap.text}` }
let now = 0
let test: TestApi | undefined
afterEach(() => test?.api.close())

async function limited(
  rates: { readonly perCaller?: number; readonly perNamespace?: number },
  limiter: RateLimiter = new LocalRateLimiter({ elapsed: () => now }),
) {
  const rate = (perSecond: number | undefined) =>
    perSecond === undefined ? null : { perSecond, burst: perSecond }
  test = await fakeApi({
    access: { isLocal: true, bootstrap },
    rates: { limiter, perCaller: rate(rates.perCaller), perNamespace: rate(rates.perNamespace) },
  })
  const { api } = test
  return async (url = tasks) => api.inject({ url, headers })
}

it('65: who asks too often is told when to ask again, and is let in then', async () => {
  const ask = await limited({ perCaller: 2 })
  const statuses = []
  for (let n = 0; n < 4; n += 1) statuses.push((await ask()).statusCode)
  expect(statuses).toEqual([200, 200, 429, 429])
  const refused = await ask()
  expect(refused.json()).toMatchObject({ code: 'rate_limited', status: 429 })
  expect(refused.headers['retry-after']).toBe('1')
  now += 500
  expect((await ask()).statusCode).toBe(200)
})

it('65: a namespace has a rate of its own, whoever asks', async () => {
  const ask = await limited({ perNamespace: 1 })
  expect([(await ask()).statusCode, (await ask()).statusCode]).toEqual([200, 429])
  expect((await ask('/v1/namespaces/other/tasks')).statusCode).toBe(200)
  expect((await ask('/v1/cluster')).statusCode).toBe(200)
})

it('waits for a limiter that has to ask', async () => {
  let left = 1
  const slow: RateLimiter = { take: async () => (left-- > 0 ? 0 : 2_500) }
  const ask = await limited({ perCaller: 1, perNamespace: 1 }, slow)
  const answer = await ask()
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '3'])
})

it('counts nobody who needs no credential', async () => {
  const limiter: RateLimiter = {
    take: () => {
      throw new Error('is not asked')
    },
  }
  test = await fakeApi({ rates: { limiter, perCaller: { perSecond: 1, burst: 1 }, perNamespace: null } })
  expect((await test.api.inject({ url: tasks })).statusCode).toBe(200)
  expect((await test.api.inject({ url: '/livez' })).statusCode).toBe(200)
})

import { afterEach, expect, it } from 'vitest'
import { FakeApplication } from '../test-support/fake-application.js'
import type { Api } from './host.js'
import { buildOperations } from './operations.js'

let api: Api | undefined
afterEach(() => api?.close())

const open = async (fake: FakeApplication, cluster = false) => {
  api = await buildOperations({ app: fake.app, metrics: async () => 'almanac_ready 1\n', cluster })
  const on = api
  return (url: string, method: 'GET' | 'POST' = 'GET') =>
    on.inject({ url, method, headers: { host: 'pod-7' } })
}

it('answers probes under any name of the host', async () => {
  const fake = new FakeApplication()
  const ask = await open(fake)
  fake.ready = false
  const codes = async () => {
    const answers = await Promise.all(['/livez', '/startupz', '/readyz'].map((url) => ask(url)))
    return answers.map(({ statusCode }) => statusCode)
  }
  expect(await codes()).toEqual([200, 503, 503])
  fake.ready = true
  expect(await codes()).toEqual([200, 200, 200])
  fake.ready = false
  // It has started once: whether it can be worked with now is another question.
  expect(await codes()).toEqual([200, 200, 503])
  expect((await ask('/metrics')).body).toBe('almanac_ready 1\n')
})

it('serves nothing of what is scheduled, and takes nothing', async () => {
  const ask = await open(new FakeApplication())
  for (const url of ['/', '/v1/cluster', '/v1/namespaces/default/tasks', '/openapi.json', '/docs']) {
    const answer = await ask(url)
    expect([url, answer.statusCode, answer.json().code]).toEqual([url, 404, 'route_not_found'])
  }
  expect((await ask('/livez', 'POST')).statusCode).toBe(404)
})

it('tells of the cluster where it is asked to', async () => {
  const ask = await open(new FakeApplication(), true)
  expect((await ask('/v1/cluster')).json()).toMatchObject({ cluster: 'test', nodeId: 'n1' })
})

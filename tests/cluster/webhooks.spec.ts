import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { partitionOf } from '@almanac/domain'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TestCluster } from './nodes.fixture.js'

let cluster: TestCluster
const told: { readonly id: string; readonly type: string; readonly name: string }[] = []
const receiver = createServer(async (request, response) => {
  let text = ''
  for await (const chunk of request) text += chunk
  const { type, data } = JSON.parse(text)
  told.push({ id: String(request.headers['webhook-id']), type, name: data.subject?.name ?? '' })
  response.writeHead(204).end()
})
beforeEach(async () => {
  told.length = 0
  cluster = new TestCluster({
    'lease-ttl-seconds': '4',
    'webhook-allow': '127.0.0.1',
    'webhook-http': 'true',
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await cluster.close()
  receiver.closeAllConnections()
  receiver.close()
})

const hooks = '/v1/namespaces/default/webhooks'
const daily = { crontab: { minute: '0', hour: '2' } }
const names = () => told.filter(({ type }) => type === 'task.created').map(({ name }) => name)

it('one node of all serves a webhook, another when that one goes, and none is missed', {
  timeout: 120_000,
}, async () => {
  const keyFile = join(cluster.folder, 'webhook.key')
  writeFileSync(keyFile, 'k'.repeat(40))
  const withKey = { 'webhook-key-file': keyFile }
  await Promise.all([cluster.start('a', withKey), cluster.start('b', withKey)])
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  const made = await cluster.ask('a', hooks, { body: { name: 'all', url, events: ['task.*'] } })
  expect([made.status, made.body.secret]).toEqual([201, expect.stringMatching(/^whsec_/)])
  const { id } = made.body
  const create = async (node: string, name: string) => {
    const { status } = await cluster.tasks(node, '', { body: { name, task: 'x', schedule: daily } })
    expect(status).toBe(201)
  }
  for (const [index, name] of ['one', 'two', 'three', 'four'].entries())
    await create(index % 2 ? 'a' : 'b', name)
  await cluster.until('all to be told', async () => names().length >= 4 || undefined)
  // By one node, once: nothing has gone wrong.
  expect(names().toSorted()).toEqual(['four', 'one', 'three', 'two'])
  const owners = await cluster.until('all partitions to have an owner', async () => {
    const found = await cluster.owners('a')
    return found.every((owner) => owner !== null) ? found : undefined
  })
  const owner = owners[partitionOf(id, 16)]
  const other = owner === 'a' ? 'b' : 'a'
  if (owner === 'a' || owner === 'b') await cluster.stop(owner)
  else throw new Error(`${owner} serves it`)
  await create(other, 'five')
  await cluster.until('the other node to go on', async () => names().includes('five') || undefined)
  // What the first had told is not told again: it has left word how far it was.
  expect(names().toSorted()).toEqual(['five', 'four', 'one', 'three', 'two'])
  const shown = await cluster.ask(other, `${hooks}/${id}`)
  expect(shown.body.status.delivered).toBeGreaterThanOrEqual(4)
  // Runs are in the topics of the cluster.
  const runs = await cluster.ask(other, hooks, { body: { name: 'runs', url, events: ['run.*'] } })
  expect([runs.status, runs.body.errors[0]]).toMatchObject([422, { code: 'runs_in_topics' }])
})

it('a node without the key has no webhooks, and says so', { timeout: 60_000 }, async () => {
  await cluster.start('a')
  const refused = await cluster.ask('a', hooks)
  expect([refused.status, refused.body.code]).toEqual([409, 'webhooks_not_here'])
  const short = join(cluster.folder, 'short.key')
  writeFileSync(short, 'k')
  await expect(cluster.start('b', { 'webhook-key-file': short })).rejects.toThrow('32 characters or more')
})

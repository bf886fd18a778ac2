import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, type Running, root, start } from './server-process.js'

// The server is killed with SIGKILL while it tells a webhook what happens, by a receiver that fails now and then.
// Afterwards: every event was told at least once, none that there is not, and those of one task in order.

const folder = mkdtempSync(join(tmpdir(), 'almanac-webhooks-kill-'))
const told: { readonly id: string; readonly taskId: string; readonly isTaken: boolean }[] = []
const receiver = createServer(async (request, response) => {
  let text = ''
  for await (const chunk of request) text += chunk
  const isTaken = told.length % 7 !== 3
  const taskId = JSON.parse(text).data.subject.id as string
  told.push({ id: String(request.headers['webhook-id']), taskId, isTaken })
  response.writeHead(isTaken ? 204 : 503).end()
})
let server: (Running & { readonly url: string }) | undefined
beforeAll(() => new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve)))
afterAll(() => {
  server?.process.kill('SIGKILL')
  receiver.closeAllConnections()
  receiver.close()
  rmSync(folder, { recursive: true, force: true })
})

async function begin(): Promise<string> {
  const args = ['serve', '--port', '0', '--data', folder, '--webhook-allow', '127.0.0.1', '--webhook-http']
  const running = start(`${root}packages/cli/bin/almanac.js`, args)
  const [, url = ''] = await running.says(/is running at (\S+)/)
  server = { ...running, url }
  return `${url}/v1/namespaces/default`
}

async function post(url: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  expect([answer.status, await answer.json()]).toEqual([201, expect.anything()])
}

it('tells a webhook everything, in order, although it is killed again and again', {
  timeout: 120_000,
}, async () => {
  let url = await begin()
  const address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  await post(`${url}/webhooks`, { name: 'all', url: address, events: ['task.*'] })
  const schedule = { interval: { every: 1, period: 'days' } }
  for (let kill = 0; kill < 4; kill += 1) {
    for (let n = 0; n < 15; n += 1) await post(`${url}/tasks`, { name: `${kill}-${n}`, task: 't', schedule })
    const { items } = (await (await fetch(`${url}/tasks?limit=5`)).json()) as { items: { id: string }[] }
    await Promise.all(
      items.map(({ id }) =>
        fetch(`${url}/tasks/${id}/${kill % 2 ? 'enable' : 'disable'}`, { method: 'POST' }),
      ),
    )
    // In the middle of what it has to tell.
    server?.process.kill('SIGKILL')
    await server?.ended
    url = await begin()
  }
  const { items } = (await (await fetch(`${url}/history?kind=task&limit=500`)).json()) as {
    items: { id: string; stream: string; entityId: string }[]
  }
  const happened = items.map(({ id }) => `msg_${id}`)
  expect(happened.length).toBeGreaterThanOrEqual(60)
  const taken = () => new Set(told.filter(({ isTaken }) => isTaken).map(({ id }) => id))
  await eventually(
    async () => happened.filter((id) => !taken().has(id)),
    (missing) => missing.length === 0,
  )
  expect([...new Set(told.map(({ id }) => id))].filter((id) => !happened.includes(id))).toEqual([])
  for (const taskId of new Set(told.map((one) => one.taskId))) {
    const first = [...new Set(told.filter((one) => one.taskId === taskId).map(({ id }) => id))]
    expect(first).toEqual(happened.filter((id) => first.includes(id)))
  }
})

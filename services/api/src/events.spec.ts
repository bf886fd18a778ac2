import { expect, it } from 'vitest'
import { fakeApi } from '../test-support/fake-api.js'
import { now } from '../test-support/fake-application.js'

it('the change feed shows signs of life while nothing changes, and ends when the server closes', async () => {
  let elapsed = 0
  const clock = { now: () => now, elapsed: () => (elapsed += 4_000), sleep: async () => {} }
  const { api } = await fakeApi({ clock })
  const url = await api.listen({ host: '127.0.0.1', port: 0 })
  const { body, headers } = await fetch(`${url}/v1/namespaces/default/events?after=3`)
  expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  let text = ''
  let closing: Promise<unknown> | undefined
  for await (const chunk of body ?? []) {
    text += new TextDecoder().decode(chunk)
    if (text.includes(': still here\nid: 3\n\n')) closing ??= api.close()
  }
  await closing
  expect(text).toMatch(/^retry: 2000\nid: 3\n\n(: still here\nid: 3\n\n)+$/)
})

it.each(['-1', 'x', '1e3'])('refuses to go on after %s', async (id) => {
  const { api } = await fakeApi()
  const url = '/v1/namespaces/default/events'
  expect((await api.inject({ url, headers: { 'last-event-id': id } })).json().code).toBe('invalid_header')
  expect((await api.inject({ url: `${url}?after=${id}` })).json().code).toBe('invalid_query')
})

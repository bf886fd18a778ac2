import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { codeOf, encoded, errorOfCode, WireClient } from './kafkajs.js'

const require = createRequire(import.meta.url)
const RequestQueue = require('kafkajs/src/network/requestQueue/index.js') as new (
  options: object,
) => {
  readonly pending: object[]
  readonly throttleCheckTimeoutId: unknown
  scheduleCheckPendingRequests(): void
  destroy(): void
}

const options = { requestTimeoutMs: 300, connectTimeoutMs: 300 }
const silent = () => {}

/** What this package uses of kafkajs beyond its public interface: it has to be looked at when the version changes. */
describe('what is used of kafkajs', () => {
  it('is there', () => {
    const { cluster } = new WireClient({ brokers: ['localhost:1'] }, options, silent)
    const methods = [
      'connect',
      'disconnect',
      'isConnected',
      'addMultipleTargetTopics',
      'refreshMetadata',
      'refreshMetadataIfNecessary',
      'findBroker',
      'findControllerBroker',
      'findGroupCoordinator',
      'findTopicPartitionMetadata',
    ] as const
    for (const method of methods) expect(cluster[method]).toBeTypeOf('function')
  })

  it('takes the body of a request as it is', () => {
    const bytes = Buffer.from('body')
    expect((encoded(bytes) as { readonly buffer: Buffer }).buffer).toEqual(bytes)
  })

  it('names what brokers answer', () => {
    expect(errorOfCode(47).message).toContain('old epoch')
    expect(codeOf(errorOfCode(47))).toBe(47)
    expect(codeOf(Object.assign(new Error(), { code: 'ECONNREFUSED' }))).toBeUndefined()
  })

  it('asks no more, and waits for nothing, once its client is closed', async () => {
    let connections = 0
    const server = createServer((socket) => {
      connections += 1
      socket.on('error', () => {}).resume()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const client = new WireClient({ brokers: [`127.0.0.1:${port}`] }, options, silent)
    const connecting = client.cluster.connect()
    while (connections === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    client.close()
    await expect(connecting).rejects.toThrow('The client has been closed')
    expect(connections).toBe(1)
    await new Promise((resolve) => server.close(resolve))
  })

  it('looks after waiting requests only where some wait (tulios/kafkajs#1704)', () => {
    const queue = new RequestQueue({ maxInFlightRequests: 1, requestTimeout: 100, logger: { debug: silent } })
    queue.scheduleCheckPendingRequests()
    expect(queue.throttleCheckTimeoutId).toBeNull()
    queue.pending.push({})
    queue.scheduleCheckPendingRequests()
    expect(queue.throttleCheckTimeoutId).not.toBeNull()
    queue.destroy()
  })
})

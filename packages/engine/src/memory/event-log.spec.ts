import { describe, expect, it } from 'vitest'
import { eventLogContract } from '../ports/event-log.contract.js'
import { memoryEventLog } from './event-log.js'

eventLogContract('memory', async () => ({ log: memoryEventLog(), close: async () => {} }))

describe('the event log in memory', () => {
  it('shares no reference with its writers or its readers', async () => {
    const log = memoryEventLog()
    const metadata = { namespace: 'n', actor: 'a', at: 1, correlationId: 'c', previousHash: '' }
    const data = { list: [1] }
    await log.append('s', 'none', [{ id: '1', type: 'T', version: 1, data, metadata }])
    data.list.push(2)
    expect((await log.readStream('s'))[0]?.data).toEqual({ list: [1] })
    const copy = (await log.readStream('s')) as unknown[]
    copy.pop()
    expect(await log.readStream('s')).toHaveLength(1)
  })
})

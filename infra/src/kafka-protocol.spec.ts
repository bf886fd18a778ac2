import { describe, expect, it } from 'vitest'
import { framed, int16, int32, requestFrame, text } from './kafka-frames.fixture.js'
import { FrameSplitter, readRequest } from './kafka-protocol.js'

describe('the head of a request', () => {
  it('is read for a request without a transactional id', () => {
    const frame = requestFrame({ key: 3, version: 6, correlationId: 7, clientId: 'node-1' })
    expect(readRequest(frame)).toEqual({
      api: 'Metadata',
      apiVersion: 6,
      correlationId: 7,
      clientId: 'node-1',
      transactionalId: null,
      isAnswered: true,
    })
  })

  it('has the number of a request that has no name here, and no client id when none is given', () => {
    const frame = requestFrame({ key: 61, version: 0, correlationId: 1, clientId: null })
    expect(readRequest(frame)).toMatchObject({ api: 'api 61', clientId: null })
  })

  it.each([
    ['Produce', 0, 7],
    ['InitProducerId', 22, 1],
    ['AddPartitionsToTxn', 24, 1],
    ['AddOffsetsToTxn', 25, 2],
    ['EndTxn', 26, 1],
    ['TxnOffsetCommit', 28, 2],
  ])('has the transactional id of %s in its old form', (api, key, version) => {
    const body = Buffer.concat([text('orders-ü'), int16(-1), int32(1)])
    const frame = requestFrame({ key, version, correlationId: 5, clientId: 'c', body })
    expect(readRequest(frame)).toMatchObject({ api, transactionalId: 'orders-ü', isAnswered: true })
  })

  it.each([
    ['Produce', 0, 9],
    ['InitProducerId', 22, 4],
    ['AddPartitionsToTxn', 24, 3],
    ['EndTxn', 26, 5],
  ])('has the transactional id of %s in its compact form, behind tagged fields', (api, key, version) => {
    const tags = Buffer.from([1, 9, 2, 0xaa, 0xbb])
    const id = Buffer.from('orders')
    const body = Buffer.concat([tags, Buffer.from([id.length + 1]), id, int16(-1), int32(1)])
    const frame = requestFrame({ key, version, correlationId: 5, clientId: 'c', body })
    expect(readRequest(frame)).toMatchObject({ api, transactionalId: 'orders' })
  })

  it('has the first of several transactions whose partitions are added in one request', () => {
    const body = Buffer.concat([Buffer.from([0, 2, 4]), Buffer.from('one')])
    const frame = requestFrame({ key: 24, version: 4, correlationId: 5, clientId: 'broker', body })
    expect(readRequest(frame).transactionalId).toBe('one')
  })

  it('tells a Produce that is not answered', () => {
    const produce = (acks: number) =>
      requestFrame({
        key: 0,
        version: 7,
        correlationId: 5,
        clientId: 'c',
        body: Buffer.concat([int16(-1), int16(acks), int32(1000)]),
      })
    expect(readRequest(produce(0))).toMatchObject({ transactionalId: null, isAnswered: false })
    expect(readRequest(produce(1)).isAnswered).toBe(true)
  })

  it('is refused when it ends too early', () => {
    expect(() => readRequest(framed(Buffer.from([0, 3, 0])))).toThrow(RangeError)
    const cut = requestFrame({ key: 26, version: 1, correlationId: 5, clientId: 'c', body: int16(50) })
    expect(() => readRequest(cut)).toThrow(RangeError)
  })
})

describe('a stream of frames', () => {
  const frames = [
    framed(Buffer.from('first')),
    framed(Buffer.from('2nd ')),
    framed(Buffer.alloc(70_000, 'x')),
  ]
  const stream = Buffer.concat(frames)

  it.each([1, 2, 3, 5, 7, 64, 4096, stream.length])('is cut the same in pieces of %d bytes', (size) => {
    const splitter = new FrameSplitter()
    const found: Buffer[] = []
    for (let at = 0; at < stream.length; at += size) {
      found.push(...splitter.push(stream.subarray(at, at + size)))
    }
    expect(found.map((frame) => frame.length)).toEqual(frames.map((frame) => frame.length))
    expect(Buffer.concat(found).equals(stream)).toBe(true)
  })

  it('is refused when a size can not be one', () => {
    expect(() => new FrameSplitter().push(Buffer.from('GET / HTTP/1.1'))).toThrow(RangeError)
    expect(() => new FrameSplitter().push(int32(-1))).toThrow(RangeError)
    expect(() => new FrameSplitter().push(int32(2))).toThrow(RangeError)
  })
})

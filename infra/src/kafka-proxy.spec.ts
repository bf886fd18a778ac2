import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { framed, int32, requestFrame, text } from './kafka-frames.fixture.js'
import { FrameSplitter, type KafkaRequest } from './kafka-protocol.js'
import { KafkaProxy } from './kafka-proxy.js'

const endTxn = 26
const produce = 0
const metadata = 3

/** Answers each request with its own correlation id, in order, as a broker does. */
class FakeBroker {
  readonly seen: number[] = []
  /** What ended: a connection that the other side has ended or reset. */
  ended = 0
  /** While false, requests are taken and not answered. */
  answers = true
  private readonly server: Server
  private readonly sockets = new Set<Socket>()

  constructor() {
    this.server = createServer((socket) => {
      const splitter = new FrameSplitter()
      this.sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.ended += 1
        this.sockets.delete(socket)
      })
      socket.on('data', (piece) => {
        for (const frame of splitter.push(piece)) {
          const correlationId = frame.readInt32BE(8)
          this.seen.push(correlationId)
          if (this.answers) socket.write(framed(Buffer.concat([int32(correlationId), Buffer.from('done')])))
        }
      })
    })
  }

  get connections(): number {
    return this.sockets.size
  }

  async listen(port = 0): Promise<number> {
    this.server.listen(port, '127.0.0.1')
    await once(this.server, 'listening')
    const address = this.server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  dropAll(): void {
    for (const socket of this.sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    this.dropAll()
    if (!this.server.listening) return
    this.server.close()
    await once(this.server, 'close')
  }
}

class FakeClient {
  readonly socket: Socket
  /** Correlation ids of the answers, in order. */
  readonly answered: number[] = []
  state: 'open' | 'ended' | 'reset' = 'open'
  private next = 0

  constructor(port: number) {
    const splitter = new FrameSplitter()
    this.socket = connect(port, '127.0.0.1')
    this.socket.setNoDelay(true)
    this.socket.on('data', (piece) => {
      for (const frame of splitter.push(piece)) this.answered.push(frame.readInt32BE(4))
    })
    this.socket.on('end', () => {
      this.state = 'ended'
    })
    this.socket.on('error', () => {
      this.state = 'reset'
    })
  }

  /** The bytes of a request; correlation ids count up from 1. */
  frame(key: number, id: string | null = null, clientId = 'client'): Buffer {
    this.next += 1
    const version = key === produce ? 7 : 1
    const acks = Buffer.from([0xff, 0xff, 0, 0, 0, 1])
    const body = key === metadata ? Buffer.alloc(4) : Buffer.concat([text(id), acks])
    return requestFrame({ key, version, correlationId: this.next, clientId, body })
  }

  ask(key: number, id: string | null = null, clientId = 'client'): void {
    this.socket.write(this.frame(key, id, clientId))
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 1000) throw new Error('Waited in vain')
    await pause(2)
  }
}

let broker: FakeBroker
let proxy: KafkaProxy
let requests: KafkaRequest[]
let answers: KafkaRequest[]
const clients: FakeClient[] = []

const client = () => {
  const made = new FakeClient(proxy.port)
  clients.push(made)
  return made
}

beforeEach(async () => {
  broker = new FakeBroker()
  requests = []
  answers = []
  proxy = await KafkaProxy.start({
    target: { host: '127.0.0.1', port: await broker.listen() },
    onRequest: (request) => requests.push(request),
    onAnswer: (request) => answers.push(request),
  })
})

afterEach(async () => {
  for (const made of clients.splice(0)) made.socket.destroy()
  await proxy.stop()
  await broker.close()
})

describe('a proxy without faults', () => {
  it('passes requests and answers on, in order, however they arrive in pieces', async () => {
    const one = client()
    const bytes = Buffer.concat(Array.from({ length: 40 }, () => one.frame(endTxn, 'orders')))
    for (let at = 0; at < bytes.length; at += 7) {
      one.socket.write(bytes.subarray(at, at + 7))
      if (at % 5 === 0) await pause(0)
    }
    await until(() => one.answered.length === 40)
    const all = Array.from({ length: 40 }, (_, index) => index + 1)
    expect(one.answered).toEqual(all)
    expect(broker.seen).toEqual(all)
  })

  it('passes many requests on that arrive as one piece', async () => {
    const one = client()
    one.socket.write(Buffer.concat(Array.from({ length: 500 }, () => one.frame(metadata))))
    await until(() => one.answered.length === 500)
    expect(broker.seen).toHaveLength(500)
  })

  it('tells of each request and of its answer', async () => {
    const one = client()
    one.ask(endTxn, 'orders', 'node-1')
    await until(() => answers.length === 1)
    expect(requests).toEqual(answers)
    expect(requests[0]).toMatchObject({ api: 'EndTxn', transactionalId: 'orders', clientId: 'node-1' })
  })

  it('ends the connection to the broker when the client does, and the other way round', async () => {
    const [one, two] = [client(), client()]
    one.ask(metadata)
    two.ask(metadata)
    await until(() => one.answered.length + two.answered.length === 2)
    expect(proxy.clients).toBe(2)
    one.socket.destroy()
    await until(() => broker.ended === 1)
    broker.dropAll()
    await until(() => two.state !== 'open')
    await until(() => proxy.clients === 0)
  })

  it('serves nobody who speaks another protocol', async () => {
    const one = client()
    one.socket.write('GET / HTTP/1.1\r\n\r\n')
    await until(() => one.state !== 'open')
    expect(broker.seen).toEqual([])
  })
})

describe('a fault of one request', () => {
  it('loses the answer of the next request that fits, and of no other', async () => {
    const one = client()
    const fault = proxy.faults.loseAnswer({ api: 'EndTxn', transactionalId: 'orders' })
    one.ask(endTxn, 'others')
    one.ask(produce, 'orders')
    one.ask(endTxn, 'orders')
    one.ask(endTxn, 'orders')
    await until(() => one.answered.includes(4))
    expect(one.answered).toEqual([1, 2, 4])
    expect(broker.seen).toEqual([1, 2, 3, 4])
    expect(await fault.struck).toMatchObject({ correlationId: 3 })
    expect(fault.hits).toBe(1)
    expect(one.state).toBe('open')
  })

  it('loses the request, which the broker never sees', async () => {
    const one = client()
    proxy.faults.loseRequest({ api: 'EndTxn' }, { times: 2 })
    for (let n = 0; n < 3; n++) one.ask(endTxn, 'orders')
    await until(() => one.answered.length === 1)
    expect(one.answered).toEqual([3])
    expect(broker.seen).toEqual([3])
  })

  it('goes by the client where several share an id', async () => {
    const one = client()
    proxy.faults.loseRequest({ clientId: 'node-2' })
    one.ask(endTxn, 'orders', 'node-1')
    one.ask(endTxn, 'orders', 'node-2')
    one.ask(endTxn, 'orders', 'node-1')
    await until(() => one.answered.length === 2)
    expect(broker.seen).toEqual([1, 3])
  })

  it('can reset the connection, so that the client knows at once', async () => {
    const [one, two] = [client(), client()]
    two.ask(metadata)
    proxy.faults.loseAnswer({ api: 'EndTxn' }, { thenResets: true })
    one.ask(endTxn, 'orders')
    await until(() => one.state !== 'open')
    expect(one.answered).toEqual([])
    expect(broker.seen).toContain(1)
    await until(() => two.answered.length === 1)
    expect(two.state).toBe('open')
  })

  it('holds a request back until it is let go; what is behind it waits, other connections do not', async () => {
    const [one, two] = [client(), client()]
    const fault = proxy.faults.holdRequest({ api: 'EndTxn' })
    one.ask(produce, 'orders')
    one.ask(endTxn, 'orders')
    one.ask(produce, 'orders')
    await fault.struck
    two.ask(produce, 'orders')
    await until(() => two.answered.length === 1)
    await pause(20)
    expect(one.answered).toEqual([1])
    fault.end()
    await until(() => one.answered.length === 3)
    expect(one.answered).toEqual([1, 2, 3])
  })

  it.each(['ends', 'resets'])('delivers what is held back although the client %s meanwhile', async (how) => {
    const one = client()
    const fault = proxy.faults.holdRequest({ api: 'EndTxn' })
    one.ask(produce, 'orders')
    await until(() => one.answered.length === 1)
    one.ask(endTxn, 'orders')
    await fault.struck
    if (how === 'ends') one.socket.end()
    else one.socket.resetAndDestroy()
    await until(() => proxy.clients === 0 || how === 'ends')
    await pause(20)
    expect(broker.seen).toEqual([1])
    expect(broker.connections).toBe(1)
    fault.end()
    await until(() => broker.seen.length === 2)
    await until(() => answers.length === 2)
    await until(() => broker.connections === 0)
  })

  it('delivers what is held back although all connections are cut', async () => {
    const one = client()
    const fault = proxy.faults.holdRequest({ api: 'EndTxn' })
    one.ask(endTxn, 'orders')
    await fault.struck
    proxy.cut()
    await until(() => one.state === 'reset')
    expect(broker.seen).toEqual([])
    fault.end()
    await until(() => broker.seen.length === 1)
  })

  it('holds a request back for a time', async () => {
    const one = client()
    proxy.faults.holdRequest({ api: 'EndTxn' }, 80)
    const since = performance.now()
    one.ask(endTxn, 'orders')
    await until(() => broker.seen.length === 1)
    expect(performance.now() - since).toBeGreaterThan(70)
    await until(() => one.answered.length === 1)
  })

  it('delays an answer that the broker has given', async () => {
    const one = client()
    proxy.faults.delayAnswer({ api: 'EndTxn' }, 80)
    one.ask(endTxn, 'orders')
    await until(() => answers.length === 1)
    expect(one.answered).toEqual([])
    await until(() => one.answered.length === 1)
  })

  it('strikes no more once it is ended or all is healed', async () => {
    const one = client()
    const ended = proxy.faults.loseRequest({ api: 'EndTxn' }, { times: Number.POSITIVE_INFINITY })
    ended.end()
    proxy.faults.loseAnswer({ api: 'EndTxn' })
    const held = proxy.faults.holdRequest({ api: 'Produce' })
    one.ask(produce, 'orders')
    await held.struck
    proxy.heal()
    one.ask(endTxn, 'orders')
    await until(() => one.answered.length === 2)
    expect(ended.hits).toBe(0)
  })
})

describe('a link', () => {
  it('takes its time in both directions, and keeps the order in spite of jitter', async () => {
    proxy.changeLink({ latencyMs: 20, jitterMs: 20 })
    const one = client()
    const since = performance.now()
    for (let n = 0; n < 30; n++) one.ask(metadata)
    await until(() => one.answered.length === 30)
    expect(performance.now() - since).toBeGreaterThan(40)
    expect(one.answered).toEqual(Array.from({ length: 30 }, (_, n) => n + 1))
  })

  it('gets only so much through in a second', async () => {
    const one = client()
    const frame = Buffer.concat(Array.from({ length: 20 }, () => one.frame(metadata)))
    proxy.changeLink({ bytesPerSecond: frame.length * 10 })
    const since = performance.now()
    one.socket.write(frame)
    await until(() => one.answered.length === 20)
    expect(performance.now() - since).toBeGreaterThan(90)
  })

  it('swallows requests in a blackhole, and delivers them after it', async () => {
    const one = client()
    one.ask(metadata)
    await until(() => one.answered.length === 1)
    proxy.changeLink({ blackhole: 'both' })
    one.ask(metadata)
    const late = client()
    late.ask(metadata)
    await pause(30)
    expect(broker.seen).toEqual([1])
    expect([one.state, late.state]).toEqual(['open', 'open'])
    proxy.heal()
    await until(() => one.answered.length === 2 && late.answered.length === 1)
  })

  it('can be a blackhole in one direction: the broker does what nobody hears of', async () => {
    const one = client()
    proxy.changeLink({ blackhole: 'to-client' })
    one.ask(endTxn, 'orders')
    await until(() => answers.length === 1)
    await pause(20)
    expect(one.answered).toEqual([])
    proxy.changeLink({ blackhole: 'to-broker' })
    await until(() => one.answered.length === 1)
    one.ask(endTxn, 'orders')
    await pause(20)
    expect(broker.seen).toEqual([1])
  })

  it('can be half open: the broker has gone, and the client is not told', async () => {
    const one = client()
    one.ask(metadata)
    await until(() => one.answered.length === 1)
    proxy.changeLink({ blackhole: 'to-client' })
    broker.dropAll()
    one.ask(metadata)
    await pause(30)
    expect(one.state).toBe('open')
    proxy.heal()
    await until(() => one.state !== 'open')
  })

  it('resets all connections when it is cut, and takes new ones', async () => {
    const made = [client(), client(), client()]
    for (const one of made) one.ask(metadata)
    await until(() => made.every((one) => one.answered.length === 1))
    proxy.cut()
    await until(() => made.every((one) => one.state === 'reset'))
    await until(() => broker.connections === 0)
    const next = client()
    next.ask(metadata)
    await until(() => next.answered.length === 1)
  })

  it('refuses new connections and leaves those that are', async () => {
    const one = client()
    one.ask(metadata)
    await until(() => one.answered.length === 1)
    proxy.changeLink({ refusesNew: true })
    const two = client()
    await until(() => two.state === 'reset')
    one.ask(metadata)
    await until(() => one.answered.length === 2)
    proxy.changeLink({ refusesNew: false })
    const three = client()
    three.ask(metadata)
    await until(() => three.answered.length === 1)
  })

  it('lets go of whoever comes while there is no broker', async () => {
    await broker.close()
    const one = client()
    one.ask(metadata)
    await until(() => one.state !== 'open')
    expect(one.answered).toEqual([])
    broker = new FakeBroker()
  })
})

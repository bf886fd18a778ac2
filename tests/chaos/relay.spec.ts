import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Relay } from './relay.js'

const opened: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A server that sends everything back, behind a relay. */
async function echoing() {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(() => server.close())
  const relay = await Relay.open({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  opened.push(() => relay.close())
  return relay
}

function dial(relay: Relay): { readonly socket: Socket; readonly heard: () => string } {
  const socket = connect({ host: '127.0.0.1', port: relay.port })
  let text = ''
  socket.on('data', (data) => {
    text += data.toString()
  })
  socket.on('error', () => {})
  opened.push(() => socket.destroy())
  return { socket, heard: () => text }
}

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 60))

describe('a relay', () => {
  it('lets everything through', async () => {
    const { socket, heard } = dial(await echoing())
    socket.write('one')
    await until(() => heard() === 'one')
  })

  it('cuts what is connected, and refuses who connects, until it is healed', async () => {
    const relay = await echoing()
    const { socket, heard } = dial(relay)
    socket.write('one')
    await until(() => heard() === 'one')
    relay.cut()
    await once(socket, 'close')
    await once(dial(relay).socket, 'close')
    relay.heal()
    const again = dial(relay)
    again.socket.write('two')
    await until(() => again.heard() === 'two')
  })

  it('lets nothing through while it is silent, and all of it afterwards, in order', async () => {
    const relay = await echoing()
    const { socket, heard } = dial(relay)
    socket.write('one')
    await until(() => heard() === 'one')
    relay.silence()
    socket.write(' two')
    const other = dial(relay)
    other.socket.write('three')
    await aWhile()
    expect([heard(), other.heard()]).toEqual(['one', ''])
    relay.heal()
    await until(() => heard() === 'one two' && other.heard() === 'three')
  })

  it('delays, and keeps the order when it delays no more', async () => {
    const relay = await echoing()
    const { socket, heard } = dial(relay)
    socket.write('a')
    await until(() => heard() === 'a')
    relay.delay(100)
    socket.write('b')
    await aWhile()
    expect(heard()).toBe('a')
    relay.heal()
    socket.write('c')
    await until(() => heard() === 'abc')
  })
})

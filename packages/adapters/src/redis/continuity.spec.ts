import type { Member } from '@almanac/domain'
import { beforeEach, describe, expect, it } from 'vitest'
import { Continuity } from './continuity.js'

const member = (nodeId: string, instance = 'first'): Member => ({
  nodeId,
  instance,
  region: '',
  weight: 1,
  engineVersion: '',
  tzVersion: '',
})

const ttlMs = 1_000

let continuity: Continuity
let begun: Record<string, number>
beforeEach(() => {
  continuity = new Continuity(2)
  begun = { one: 1, two: 1, three: 1 }
})

/** Who is there after an answer of all servers, or of some. */
const heard = (now: number, found: string, servers = Object.keys(begun)): string =>
  continuity
    .heard({
      found: [...found].map((nodeId) => member(nodeId)),
      since: new Map(servers.map((server) => [server, begun[server] ?? 0])),
      ttlMs,
      now,
    })
    .map(({ nodeId }) => nodeId)
    .join('')

describe('without a break', () => {
  it('goes by what was found', () => {
    expect([heard(0, 'abc'), heard(10, 'ab'), heard(20, ''), heard(30, 'z')]).toEqual(['abc', 'ab', '', 'z'])
  })

  it('one server that begins anew is none, nor one that is away', () => {
    heard(0, 'abc')
    begun = { ...begun, two: 7 }
    expect(heard(10, 'a')).toBe('a')
    expect(heard(20, '', ['two', 'three'])).toBe('')
  })
})

describe('after a break', () => {
  it.each([
    ['of what is answered', () => continuity.interrupted()],
    [
      'of what is kept',
      () => {
        begun = { ...begun, two: 7, three: 7 }
      },
    ],
    [
      'of what is kept, while one is away',
      () => {
        begun = { one: 1, two: 7 }
      },
    ],
  ])('%s, keeps who was known for the time of a membership', (_, broken) => {
    heard(0, 'abc')
    broken()
    expect(heard(100, 'b')).toBe('abc')
    expect(heard(1_099, 'bd')).toBe('abcd')
    expect(heard(1_100, 'bd')).toBe('bd')
  })

  it('lets go of who has come back and is gone again, and of who has left', () => {
    heard(0, 'abc')
    continuity.interrupted()
    expect(heard(100, 'b')).toBe('abc')
    expect(heard(200, '')).toBe('ac')
    continuity.left('c', 'another')
    expect(heard(300, '')).toBe('ac')
    continuity.left('c', 'first')
    expect(heard(400, '')).toBe('a')
  })

  it('counts from the last of several', () => {
    heard(0, 'ab')
    continuity.interrupted()
    heard(100, 'b')
    continuity.interrupted()
    expect(heard(1_000, '')).toBe('ab')
    expect(heard(1_999, '')).toBe('ab')
    expect(heard(2_000, '')).toBe('')
  })

  it('believes a new process under a node id', () => {
    heard(0, 'a')
    continuity.interrupted()
    const since = new Map(Object.entries(begun))
    expect(continuity.heard({ found: [member('a', 'second')], since, ttlMs, now: 10 })).toEqual([
      member('a', 'second'),
    ])
  })
})

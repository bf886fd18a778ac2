import type { Member } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { median, membersOf, type Registration } from './registrations.js'

const member = (nodeId: string, changes: Partial<Member> = {}): Member => ({
  nodeId,
  instance: 'first',
  region: '',
  weight: 1,
  engineVersion: '',
  tzVersion: '',
  ...changes,
})

const shown = (one: Member, changes: Partial<Registration> = {}): Registration => ({
  member: one,
  number: 1,
  leftMs: 100,
  ...changes,
})

describe('membersOf', () => {
  it('is everybody that any server shows, by node id', () => {
    const [a, b, c] = [member('a'), member('b'), member('c')]
    expect(membersOf([[shown(c), shown(a)], [], [shown(b), shown(c)]])).toEqual([a, b, c])
    expect(membersOf([])).toEqual([])
  })

  it('has the newest renewal, wherever it was heard', () => {
    const old = shown(member('a', { weight: 1 }), { number: 4, leftMs: 900 })
    const late = shown(member('a', { weight: 0 }), { number: 5 })
    expect(membersOf([[old], [late], [old]])).toEqual([late.member])
    expect(membersOf([[late], [old], [old]])).toEqual([late.member])
  })

  it('has the process that more servers show, else the one that stays longer', () => {
    const one = shown(member('a', { instance: 'one' }), { leftMs: 900, number: 90 })
    const two = shown(member('a', { instance: 'two' }))
    expect(membersOf([[one], [two], [two]])).toEqual([two.member])
    expect(membersOf([[two], [two], [one]])).toEqual([two.member])
    expect(membersOf([[one], [two]])).toEqual([one.member])
    expect(membersOf([[two], [one]])).toEqual([one.member])
  })
})

describe('median', () => {
  it('is not moved by one that is far off', () => {
    expect(median([5])).toBe(5)
    expect(median([9_000, 5])).toBe(5)
    expect(median([9_000, 5, 4])).toBe(5)
    expect(median([-9_000, 6, 5])).toBe(5)
  })
})

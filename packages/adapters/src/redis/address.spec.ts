import { describe, expect, it } from 'vitest'
import { InvalidRedisAddress, parseRedis } from './address.js'

describe('parseRedis', () => {
  it('reads an address with all that may be in it', () => {
    expect(parseRedis('rediss://us%40er:p%2Fa%2Cs%25s@redis.example:7000/3?ca=/etc/ca.pem')).toEqual([
      {
        name: 'redis.example:7000',
        host: 'redis.example',
        port: 7000,
        tls: true,
        db: 3,
        username: 'us@er',
        password: 'p/a,s%s',
        ca: '/etc/ca.pem',
      },
    ])
  })

  it('has defaults for all but the host', () => {
    expect(parseRedis('redis://localhost')).toEqual([
      { name: 'localhost:6379', host: 'localhost', port: 6379, tls: false, db: 0 },
    ])
    expect(parseRedis('redis://:secret@[::1]:1/')).toEqual([
      { name: '[::1]:1', host: '::1', port: 1, tls: false, db: 0, password: 'secret' },
    ])
  })

  it('reads several servers', () => {
    const names = parseRedis('redis://a, redis://b ,redis://a:1').map(({ name }) => name)
    expect(names).toEqual(['a:6379', 'b:6379', 'a:1'])
  })

  it.each([
    ['', '(empty): it must begin with redis:// or rediss://'],
    ['redis://a,', '(empty): it must begin'],
    ['localhost:6379', 'localhost:6379: it must begin'],
    ['http://a', 'http://a: it must begin'],
    ['redis://', 'there is no host'],
    ['redis://a:70000', 'not a URL'],
    ['redis://a/x', '/x is not the number of a database'],
    ['redis://a#1', 'write # as %23'],
    ['redis://a?ca=/x', 'ca is only for rediss'],
    ['rediss://a?tls=no', 'there is no setting tls'],
    ['redis://u:%zz@a', 'as %25'],
    ['redis://a,redis://b', 'a:6379,b:6379: these are 2 servers: give an odd number'],
    ['redis://a,redis://b,redis://a:6379', 'a:6379: it is there twice'],
  ])('refuses %j', (list, message) => {
    const reading = () => parseRedis(list)
    expect(reading).toThrow(InvalidRedisAddress)
    expect(reading).toThrow(message)
  })

  it('does not tell a password', () => {
    for (const list of ['redis://u:secret@a/x', 'redis://u:secret@a:99999', 'http://u:secret@a']) {
      expect(() => parseRedis(list)).toThrow('//...@a')
      expect(() => parseRedis(list)).not.toThrow('secret')
    }
  })
})
